import type { HandBackResource } from '@understudy/shared';

interface Importable {
  readonly type: string;
  /** The property that an import is told the resource by: the type's primary identifier. */
  readonly identifier: string;
}

/**
 * Kinds of resources that recoveries replace, as CloudFormation imports them. Elastic IP addresses
 * keep their ids. Attachments and associations are told by what they join: they leave the stack,
 * and are kept.
 */
export const IMPORTABLE: Readonly<Partial<Record<HandBackResource['kind'], Importable>>> = {
  instance: { type: 'AWS::EC2::Instance', identifier: 'InstanceId' },
  volume: { type: 'AWS::EC2::Volume', identifier: 'VolumeId' },
  interface: { type: 'AWS::EC2::NetworkInterface', identifier: 'Id' },
};
