export interface SimInstanceType {
  readonly name: string;
  readonly architecture: 'x86_64' | 'arm64';
  readonly vcpus: number;
  readonly memoryMiB: number;
  readonly bareMetal: boolean;
  readonly burstable: boolean;
  /** On Xen, instance store disks come only with `ephemeralN` mappings, and there is no NVMe. */
  readonly hypervisor: 'nitro' | 'xen';
  readonly bootModes: readonly ('legacy-bios' | 'uefi')[];
  readonly instanceStoreDisks: number;
  readonly networkCards: number;
  /**
   * Largest number of attached volumes. On Nitro, network interfaces and instance store disks count
   * with them.
   */
  readonly attachmentsMax: number;
  readonly interfacesMax: number;
  /** Private IPv4 addresses, and as many IPv6 addresses, of each interface. */
  readonly addressesPerInterface: number;
}

function type(
  name: string,
  vcpus: number,
  memoryGiB: number,
  more: Partial<SimInstanceType> = {},
): readonly [string, SimInstanceType] {
  const made: SimInstanceType = {
    name,
    architecture: 'x86_64',
    vcpus,
    memoryMiB: memoryGiB * 1024,
    bareMetal: name.endsWith('.metal'),
    burstable: /^t\d/.test(name),
    hypervisor: 'nitro',
    bootModes: ['legacy-bios', 'uefi'],
    instanceStoreDisks: 0,
    networkCards: 1,
    attachmentsMax: name.endsWith('.metal') ? 31 : 28,
    interfacesMax: 3,
    addressesPerInterface: 10,
    ...more,
  };
  return [name, made];
}

const ARM = { architecture: 'arm64', bootModes: ['uefi'] } as const;
const addresses = (interfacesMax: number, addressesPerInterface: number) => ({ interfacesMax, addressesPerInterface });

/** The few types this Region offers. */
export const INSTANCE_TYPES: ReadonlyMap<string, SimInstanceType> = new Map([
  type('t3.micro', 2, 1, addresses(2, 2)),
  type('t3.small', 2, 2, addresses(3, 4)),
  type('t3.medium', 2, 4, addresses(3, 6)),
  type('t3.large', 2, 8, addresses(3, 12)),
  type('m5.large', 2, 8),
  type('m5.xlarge', 4, 16, addresses(4, 15)),
  type('m6i.large', 2, 8),
  type('m6i.xlarge', 4, 16, addresses(4, 15)),
  type('c5.large', 2, 4),
  type('r5.large', 2, 16),
  type('r6i.large', 2, 16),
  type('g5.xlarge', 4, 16, addresses(4, 15)),
  type('i3.large', 2, 15, { instanceStoreDisks: 1, bootModes: ['legacy-bios'] }),
  type('d2.xlarge', 4, 30, {
    hypervisor: 'xen',
    bootModes: ['legacy-bios'],
    instanceStoreDisks: 3,
    attachmentsMax: 40,
    ...addresses(4, 15),
  }),
  type('c6in.32xlarge', 128, 256, { networkCards: 2, attachmentsMax: 48, ...addresses(14, 50) }),
  type('m5.metal', 96, 384, addresses(15, 50)),
  type('t4g.micro', 2, 1, { ...ARM, ...addresses(2, 2) }),
  type('m7g.large', 2, 8, ARM),
]);
