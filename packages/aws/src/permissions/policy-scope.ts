/** To what a policy is narrowed. */
export interface PolicyScope {
  /** `aws`, `aws-cn`, `aws-us-gov`. */
  readonly partition: string;
  /** `*`: every Region. */
  readonly region: string;
  /** `*`: every account. */
  readonly account: string;
  /** Groups of members. Empty: every group. */
  readonly groups: readonly string[];
  /** ARNs of the roles of members' instance profiles. Empty: none may be passed. */
  readonly passRoles: readonly string[];
  /** ARNs of the keys of members' volumes. Empty: every key. */
  readonly kmsKeys: readonly string[];
  /** Ids of the hosted zones whose records follow members. Empty: none. */
  readonly hostedZones: readonly string[];
  /** ARNs of the target groups in which members are registered. Empty: none. */
  readonly targetGroups: readonly string[];
  /** ARNs of the queues that events are read from. Empty: none. */
  readonly eventQueues: readonly string[];
  /** Hooks run on members through Systems Manager. */
  readonly runsCommands: boolean;
  /** People are told when the agents of members were last heard by Systems Manager. */
  readonly tellsPings: boolean;
  /** ARNs of the topics that are told of changes. Empty: none. */
  readonly topics: readonly string[];
  /** ARNs of the buses that are told of changes. Empty: none. */
  readonly eventBuses: readonly string[];
  /** Names or ARNs of the parameters in which the coordinators' keys lie. Empty: none. */
  readonly parameters: readonly string[];
  /** Names or ARNs of the secrets in which they lie. Empty: none. */
  readonly secrets: readonly string[];
  /** Volumes and addresses of members carry `understudy:group`, too. */
  readonly areResourcesTagged: boolean;
}
