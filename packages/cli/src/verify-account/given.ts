/** What the operator lends for the questions. */
export interface Given {
  readonly imageId: string;
  readonly instanceType: string;
  readonly subnetId: string;
  /** In another zone. Null: none was named. */
  readonly otherSubnetId: string | null;
  /** An Elastic IP address that is associated with nothing. Null: none was named. */
  readonly allocationId: string | null;
  /** How long a question waits for what may take any time. */
  readonly patienceMs: number;
}
