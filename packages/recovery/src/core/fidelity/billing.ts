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
              'a Spot instance: its request may relaunch it by itself, and a one-time request cannot be stopped; use an on-demand instance',
            ),
          remedy: 'Use an on-demand instance.',
        },
      ],
      why: 'A replacement is bought on demand.',
    },
    {
      number: 40,
      attribute: 'product codes and billing',
      read: ['Instance.ProductCodes[]', 'Instance.Platform', 'Instance.PlatformDetails', 'Instance.UsageOperation'],
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
            const details = textOf(PlatformDetails);
            return when(
              (details ?? PLAIN_LINUX) !== PLAIN_LINUX || Platform === 'windows',
              `${details ?? 'Windows'}: an image registered from a snapshot may lose its licence billing`,
            );
          },
          remedy: 'Members run plain Linux (`Linux/UNIX` in `PlatformDetails`).',
        },
      ],
      why: 'Product codes stay on volumes and snapshots. Every other licence hangs on the image that is not carried.',
    },
  ],
};
