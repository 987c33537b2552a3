import { rawListOf, textOf } from '@understudy/shared';
import { DRY_RUN, nameThatMayBeGone } from './gone-names.ts';
import { type Circumstances, type FidelityTheme, when } from './row.ts';

const rawInstance = ({ input }: Pick<Circumstances, 'input'>) => input.instance.raw;
const lifecycleOf = (from: Circumstances): string | null => textOf(rawInstance(from).InstanceLifecycle);

/**
 * Billing of every other platform hangs on the image, not on the snapshot (EC2 User Guide,
 * creating-an-ami-ebs).
 */
const PLAIN_LINUX = 'Linux/UNIX';

/**
 * Its root disk itself goes along, with its product codes, and the machine is launched from an
 * image that EC2 bills as the same platform.
 */
function keepsPlatform({ input, disks }: Circumstances, details: string): boolean {
  const root = disks.kind === 'chosen' ? disks.volumes.find((one) => one.isRoot) : undefined;
  return root?.path === 'reattach' && input.image?.platformDetails === details;
}

function licencesOf(from: Pick<Circumstances, 'input'>): object[] | undefined {
  const arns = rawListOf(rawInstance(from).Licenses).flatMap((one) => textOf(one.LicenseConfigurationArn) ?? []);
  return arns.length === 0 ? undefined : arns.map((LicenseConfigurationArn) => ({ LicenseConfigurationArn }));
}

export const BILLING: FidelityTheme = {
  theme: 'Billing',
  rows: [
    {
      number: 29,
      attribute: 'licences',
      read: ['Instance.Licenses[]'],
      carry: { launch: { LicenseSpecifications: { value: licencesOf } } },
      ...nameThatMayBeGone({
        kind: 'licence',
        code: 'Licence',
        asked: DRY_RUN,
        existence: (references) => references.licences,
        words: (named) => `licence configuration ${named.licenceArns.join(', ')}`,
      }),
      why: 'Only a launch that is tried (DryRun) tells whether one can still be used.',
    },
    {
      number: 35,
      attribute: 'market',
      read: ['Instance.InstanceLifecycle', 'Instance.SpotInstanceRequestId'],
      refuse: [
        {
          code: 'MarketUnsupported',
          text: (from) => {
            const lifecycle = lifecycleOf(from);
            return when(
              lifecycle !== null && lifecycle !== 'spot',
              `the instance is bought as ${lifecycle}, which a launch cannot repeat`,
            );
          },
          remedy: 'Use an on-demand instance.',
        },
        {
          code: 'SpotInstance',
          text: (from) =>
            when(
              lifecycleOf(from) === 'spot',
              `a Spot instance (request ${textOf(rawInstance(from).SpotInstanceRequestId) ?? 'not shown'}): a persistent request launches another one by itself as soon as this one ends, so it would have to be cancelled first, and one of a one-time request cannot be stopped to be captured. It would need an on-demand instance; nothing here cancels or buys Spot capacity`,
            ),
          remedy: 'Use an on-demand instance.',
        },
      ],
      why: 'A replacement is bought on demand.',
    },
    {
      number: 40,
      attribute: 'product codes and billing',
      read: [
        'Instance.ProductCodes[]',
        'Instance.Platform',
        'Instance.PlatformDetails',
        'Instance.UsageOperation',
        'Image.PlatformDetails',
      ],
      loss: [
        {
          code: 'MarketplaceProduct',
          text: (from) => {
            const products = rawListOf(rawInstance(from).ProductCodes).flatMap(
              (one) => textOf(one.ProductCodeId) ?? [],
            );
            return when(
              products.length > 0,
              `Marketplace product ${products.join(', ')} stays on the disks and is billed; its terms decide in which types and zones it may be launched`,
            );
          },
        },
      ],
      refuse: [
        {
          code: 'PlatformUnsupported',
          text: (from) => {
            const { Platform, PlatformDetails } = rawInstance(from);
            const details = textOf(PlatformDetails) ?? (Platform === 'windows' ? 'Windows' : PLAIN_LINUX);
            return when(
              details !== PLAIN_LINUX && !keepsPlatform(from, details),
              `${details}: an image registered from a snapshot would lose its licence billing. It would need a way that keeps the root disk and launches from an image of the same platform: reboot, stop-start, or reattach while that image can be seen`,
            );
          },
          remedy:
            'Let the policy take a way that keeps the root disk (reboot, stop-start, reattach), with the image of the same platform there; or run plain Linux (`Linux/UNIX` in `PlatformDetails`).',
        },
      ],
      why: 'Product codes stay on volumes and snapshots. Every other licence hangs on the image that is not carried.',
    },
  ],
};
