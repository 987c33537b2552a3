/** Values of condition keys, as IAM sees them. A list where the key holds several. */
export type AccessContext = Readonly<Record<string, string | readonly string[]>>;

/**
 * One question to IAM. A call asks several, one per resource and one per right that it needs
 * beside, and all of them have to be allowed.
 */
export interface AccessRequest {
  /** Who calls: the reader's name in process, the access key id over HTTP. */
  readonly principal: string;
  /** As IAM writes it, e.g. `ec2:StopInstances`. */
  readonly action: string;
  /** An ARN, with `*` for what is only being made; `*` alone where the action knows no resource. */
  readonly resource: string;
  readonly context: AccessContext;
}

/** Whether IAM allows it. Synchronous, because the Region's core waits for nobody. */
export type Authorize = (request: AccessRequest) => boolean;
