export interface SimInstanceType {
  readonly name: string;
  readonly architecture: 'x86_64' | 'arm64';
  readonly vcpus: number;
  readonly memoryMiB: number;
  readonly bareMetal: boolean;
}

const type = (name: string, vcpus: number, memoryGiB: number, architecture: 'x86_64' | 'arm64' = 'x86_64') => ({
  name,
  architecture,
  vcpus,
  memoryMiB: memoryGiB * 1024,
  bareMetal: name.endsWith('.metal'),
});

/** The few types this Region offers. */
export const INSTANCE_TYPES: ReadonlyMap<string, SimInstanceType> = new Map(
  [
    type('t3.micro', 2, 1),
    type('t3.small', 2, 2),
    type('t3.medium', 2, 4),
    type('t3.large', 2, 8),
    type('m5.large', 2, 8),
    type('m5.xlarge', 4, 16),
    type('m6i.large', 2, 8),
    type('m6i.xlarge', 4, 16),
    type('c5.large', 2, 4),
    type('r5.large', 2, 16),
    type('r6i.large', 2, 16),
    type('m5.metal', 96, 384),
    type('t4g.micro', 2, 1, 'arm64'),
    type('m7g.large', 2, 8, 'arm64'),
  ].map((one) => [one.name, one] as const),
);
