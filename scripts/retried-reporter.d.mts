/** Name of the environment variable that holds the path of the file to write. */
export declare const RETRIED_FILE: string;

export interface Retried {
  readonly name: string;
  readonly file: string;
  readonly retries: number;
  readonly error: string;
}

export declare function retriedLines(retried: readonly Retried[]): string[];

export default class RetriedReporter {
  onTestCaseResult(test: unknown): void;
  onTestRunEnd(): void;
}
