import type { PlanInput } from '../plan-input.ts';
import { flagOf, numberOf, type Raw, rawOf, textOf } from '@understudy/shared';
import { ownTypeOf } from './disks.ts';
import { type FidelityTheme, type ImageDraft, when } from './row.ts';

/** T family: the only ones that take a credit specification. */
export const isBurstable = (instanceType: string): boolean => /^t\d/.test(instanceType);

/** The named members that hold text; undefined when none does. */
export function onlyTexts(source: Raw, names: readonly string[]): Record<string, string> | undefined {
  const found = names.flatMap((name): [string, string][] => {
    const text = textOf(source[name]);
    return text === null ? [] : [[name, text]];
  });
  return found.length === 0 ? undefined : Object.fromEntries(found);
}

/**
 * EC2 shows `default` on every type, and takes the member from those that have a choice: what is
 * the default is not said.
 */
export const notDefault = (source: Raw, name: string): Record<string, string> | undefined =>
  source[name] === 'default' ? undefined : onlyTexts(source, [name]);

/**
 * What differs from the default of the type, as far as that is known; and fixed settings, which are
 * never a default.
 */
function cpuOptionsOf(input: PlanInput): object | undefined {
  const type = ownTypeOf(input);
  const options = rawOf(input.instance.raw.CpuOptions);
  const cores = numberOf(options.CoreCount);
  const threads = numberOf(options.ThreadsPerCore);
  const isKnown = type !== null && type.defaultCores !== null;
  const differs = isKnown && (cores !== type.defaultCores || threads !== (type.defaultThreadsPerCore ?? threads));
  const chosen = {
    ...(differs && cores !== null && threads !== null ? { CoreCount: cores, ThreadsPerCore: threads } : {}),
    ...(options.AmdSevSnp === 'enabled' ? { AmdSevSnp: 'enabled' } : {}),
    ...(options.NestedVirtualization === 'enabled' ? { NestedVirtualization: 'enabled' } : {}),
  };
  return Object.keys(chosen).length === 0 ? undefined : chosen;
}

/** Without `State`, which is an answer and not a setting. */
function metadataOptionsOf(options: Raw): object | undefined {
  const chosen = {
    ...onlyTexts(options, ['HttpTokens', 'HttpEndpoint', 'HttpProtocolIpv6', 'InstanceMetadataTags']),
    ...(numberOf(options.HttpPutResponseHopLimit) === null
      ? {}
      : { HttpPutResponseHopLimit: options.HttpPutResponseHopLimit }),
  };
  return Object.keys(chosen).length === 0 ? undefined : chosen;
}

/** The instance's own word goes before that of the image it was launched from. */
const BOOT_FIELDS = {
  architecture: ({ instance, image }: PlanInput) => instance.architecture ?? image?.architecture ?? null,
  bootMode: ({ instance, image }: PlanInput) => textOf(instance.raw.BootMode) ?? image?.bootMode ?? null,
  enaSupport: ({ instance: { raw }, image }: PlanInput) =>
    typeof raw.EnaSupport === 'boolean' ? raw.EnaSupport : (image?.enaSupport ?? true),
  tpmSupport: ({ instance, image }: PlanInput) => textOf(instance.raw.TpmSupport) ?? image?.tpmSupport ?? null,
  sriovNetSupport: ({ instance, image }: PlanInput) =>
    textOf(instance.raw.SriovNetSupport) ?? image?.sriovNetSupport ?? null,
  virtualizationType: ({ instance, image }: PlanInput) =>
    textOf(instance.raw.VirtualizationType) ?? image?.virtualizationType ?? null,
} satisfies { readonly [Field in keyof ImageDraft]?: (input: PlanInput) => ImageDraft[Field] };

export const COMPUTE: FidelityTheme = {
  theme: 'Machine',
  rows: [
    {
      number: 1,
      attribute: 'image',
      read: ['Instance.ImageId', 'Image.ImdsSupport'],
      carry: { image: { imdsSupport: ({ image }) => image?.imdsSupport ?? null } },
      why: 'The replacement boots from an image of its own, made of the root snapshot. The old one may be gone.',
    },
    {
      number: 21,
      attribute: 'detailed monitoring',
      read: ['Instance.Monitoring'],
      carry: { launch: { Monitoring: { value: ({ input }) => ({ Enabled: input.instance.detailedMonitoring }) } } },
      why: 'A launch takes it.',
    },
    {
      number: 24,
      attribute: 'CPU credits',
      read: ['InstanceCreditSpecification.CpuCredits'],
      carry: {
        launch: {
          CreditSpecification: {
            value: ({ input }) => (input.cpuCredits === null ? undefined : { CpuCredits: input.cpuCredits }),
            boundTo: 'burstable-type',
          },
        },
      },
      loss: [
        {
          code: 'CpuCreditsUnknown',
          text: ({ input }) =>
            when(
              isBurstable(input.instance.instanceType) && input.cpuCredits === null,
              "EC2 did not tell the CPU credit mode: the account's default applies",
            ),
        },
      ],
      why: 'Only T types have them, and only T types take them.',
    },
    {
      number: 25,
      attribute: 'CPU options',
      read: [
        'Instance.CpuOptions.CoreCount',
        'Instance.CpuOptions.ThreadsPerCore',
        'Instance.CpuOptions.AmdSevSnp',
        'Instance.CpuOptions.NestedVirtualization',
        'InstanceType.VCpuInfo',
      ],
      carry: { launch: { CpuOptions: { value: ({ input }) => cpuOptionsOf(input), boundTo: 'type' } } },
      loss: [
        {
          code: 'CpuOptionsNotCompared',
          text: ({ input }) =>
            when(
              ownTypeOf(input) === null && numberOf(rawOf(input.instance.raw.CpuOptions).CoreCount) !== null,
              "the type's default cores are unknown: the default is used",
            ),
        },
      ],
      why: 'They are sent only where they differ from the default, which other types would refuse.',
    },
    {
      number: 26,
      attribute: 'metadata options',
      read: [
        'Instance.MetadataOptions.HttpTokens',
        'Instance.MetadataOptions.HttpEndpoint',
        'Instance.MetadataOptions.HttpProtocolIpv6',
        'Instance.MetadataOptions.HttpPutResponseHopLimit',
        'Instance.MetadataOptions.InstanceMetadataTags',
      ],
      carry: {
        launch: {
          MetadataOptions: { value: ({ input }) => metadataOptionsOf(rawOf(input.instance.raw.MetadataOptions)) },
        },
      },
      why: 'A launch takes them all.',
    },
    {
      number: 27,
      attribute: 'enclaves and hibernation',
      read: ['Instance.EnclaveOptions.Enabled', 'Instance.HibernationOptions.Configured'],
      carry: {
        launch: {
          EnclaveOptions: {
            value: ({ input }) =>
              flagOf(rawOf(input.instance.raw.EnclaveOptions).Enabled) ? { Enabled: true } : undefined,
            boundTo: 'type',
          },
          HibernationOptions: {
            value: ({ input }) =>
              flagOf(rawOf(input.instance.raw.HibernationOptions).Configured) ? { Configured: true } : undefined,
            boundTo: 'type',
          },
        },
      },
      why: 'Another type may refuse them.',
    },
    {
      number: 33,
      attribute: 'bandwidth weighting',
      read: ['Instance.NetworkPerformanceOptions.BandwidthWeighting'],
      carry: {
        launch: {
          NetworkPerformanceOptions: {
            value: ({ input }) => notDefault(rawOf(input.instance.raw.NetworkPerformanceOptions), 'BandwidthWeighting'),
            boundTo: 'type',
          },
        },
      },
      why: 'Only types that have a choice take it.',
    },
    {
      number: 34,
      attribute: 'boot mode, TPM, UEFI, ENA, architecture',
      read: [
        'Instance.Architecture',
        'Instance.BootMode',
        'Instance.EnaSupport',
        'Instance.SriovNetSupport',
        'Instance.TpmSupport',
        'Instance.VirtualizationType',
        'Image.Architecture',
        'Image.BootMode',
        'Image.EnaSupport',
        'Image.SriovNetSupport',
        'Image.TpmSupport',
        'Image.VirtualizationType',
      ],
      carry: { image: BOOT_FIELDS },
      loss: [
        {
          code: 'TpmSecretsLost',
          text: ({ input }) =>
            when(BOOT_FIELDS.tpmSupport(input) !== null, 'keys sealed in the NitroTPM stay with the old instance'),
        },
        {
          code: 'UefiVariablesLost',
          text: ({ input }) =>
            when(
              BOOT_FIELDS.bootMode(input)?.startsWith('uefi') === true,
              'UEFI variables (boot entries, Secure Boot keys) start from their defaults',
            ),
        },
      ],
      refuse: [
        {
          code: 'ArchitectureUnknown',
          text: ({ input }) =>
            when(
              BOOT_FIELDS.architecture(input) === null || input.instance.rootDeviceName === null,
              'neither instance nor image says which architecture it is',
            ),
          remedy: 'Look at the instance in EC2: it always says so of one that runs.',
        },
      ],
      why: 'The new image is registered with them. What is sealed in the TPM cannot leave it. UEFI variables could (GetInstanceUefiData, RegisterImage.UefiData) and are not read yet.',
    },
    {
      number: 36,
      attribute: 'kernel and RAM disk',
      read: ['Instance.KernelId', 'Instance.RamdiskId'],
      refuse: [
        {
          code: 'Paravirtual',
          text: ({ input }) =>
            when(
              input.instance.raw.VirtualizationType === 'paravirtual',
              'paravirtual instances need their kernel image, which is not carried',
            ),
          remedy: 'Move the member to an HVM instance.',
        },
      ],
      why: 'Only paravirtual instances have them.',
    },
  ],
};
