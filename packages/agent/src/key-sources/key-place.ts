export interface KeyPlace {
  /** Name or ARN. */
  readonly reference: string;
  readonly region: string;
  /** Null: the service's own, for this Region. */
  readonly endpoint: string | null;
}

/** Reads the text at one place, with the role of this instance. @throws the SDK's error. */
export type FetchKey = (place: KeyPlace) => Promise<string>;
