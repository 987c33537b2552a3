import * as ec2 from '@aws-sdk/client-ec2';
import { invariant, InvariantViolation, isOperationError } from '@understudy/shared';
import { checkAnswers } from '../answers/check-answers.ts';
import { EC2_QUERY } from '../answers/own-answer.ts';
import { type Ec2Action, knowsDryRun } from './actions.ts';
import { clientConfigOf, type SdkTransport, type SdkTransportOptions } from '../sdk/client-config.ts';
import { assertMayStart, notSent } from '../transport/not-sent.ts';
import type { Ec2CallOptions } from '../transport/transport.ts';

type CommandClass = new (input: never) => object;

const COMMANDS: Readonly<Record<Ec2Action, CommandClass>> = {
  DescribeInstances: ec2.DescribeInstancesCommand,
  DescribeInstanceStatus: ec2.DescribeInstanceStatusCommand,
  DescribeInstanceAttribute: ec2.DescribeInstanceAttributeCommand,
  DescribeInstanceCreditSpecifications: ec2.DescribeInstanceCreditSpecificationsCommand,
  DescribeInstanceTypes: ec2.DescribeInstanceTypesCommand,
  DescribeInstanceTypeOfferings: ec2.DescribeInstanceTypeOfferingsCommand,
  DescribeKeyPairs: ec2.DescribeKeyPairsCommand,
  DescribePlacementGroups: ec2.DescribePlacementGroupsCommand,
  DescribeCapacityReservations: ec2.DescribeCapacityReservationsCommand,
  DescribeRouteTables: ec2.DescribeRouteTablesCommand,
  DescribeVolumes: ec2.DescribeVolumesCommand,
  DescribeSnapshots: ec2.DescribeSnapshotsCommand,
  DescribeImages: ec2.DescribeImagesCommand,
  DescribeNetworkInterfaces: ec2.DescribeNetworkInterfacesCommand,
  DescribeAddresses: ec2.DescribeAddressesCommand,
  DescribeSubnets: ec2.DescribeSubnetsCommand,
  DescribeSecurityGroups: ec2.DescribeSecurityGroupsCommand,
  DescribeTags: ec2.DescribeTagsCommand,
  GetConsoleOutput: ec2.GetConsoleOutputCommand,
  StopInstances: ec2.StopInstancesCommand,
  TerminateInstances: ec2.TerminateInstancesCommand,
  RunInstances: ec2.RunInstancesCommand,
  RebootInstances: ec2.RebootInstancesCommand,
  StartInstances: ec2.StartInstancesCommand,
  AttachVolume: ec2.AttachVolumeCommand,
  CopyVolumes: ec2.CopyVolumesCommand,
  DescribeVolumeStatus: ec2.DescribeVolumeStatusCommand,
  DetachVolume: ec2.DetachVolumeCommand,
  ModifyInstanceAttribute: ec2.ModifyInstanceAttributeCommand,
  ModifyInstanceMaintenanceOptions: ec2.ModifyInstanceMaintenanceOptionsCommand,
  ModifyPrivateDnsNameOptions: ec2.ModifyPrivateDnsNameOptionsCommand,
  CreateSnapshots: ec2.CreateSnapshotsCommand,
  DeleteVolume: ec2.DeleteVolumeCommand,
  DeleteSnapshot: ec2.DeleteSnapshotCommand,
  RegisterImage: ec2.RegisterImageCommand,
  DeregisterImage: ec2.DeregisterImageCommand,
  CreateCapacityReservation: ec2.CreateCapacityReservationCommand,
  CancelCapacityReservation: ec2.CancelCapacityReservationCommand,
  CreateNetworkInterface: ec2.CreateNetworkInterfaceCommand,
  DeleteNetworkInterface: ec2.DeleteNetworkInterfaceCommand,
  ModifyNetworkInterfaceAttribute: ec2.ModifyNetworkInterfaceAttributeCommand,
  AssociateAddress: ec2.AssociateAddressCommand,
  DisassociateAddress: ec2.DisassociateAddressCommand,
  AssignPrivateIpAddresses: ec2.AssignPrivateIpAddressesCommand,
  UnassignPrivateIpAddresses: ec2.UnassignPrivateIpAddressesCommand,
  AssignIpv6Addresses: ec2.AssignIpv6AddressesCommand,
  UnassignIpv6Addresses: ec2.UnassignIpv6AddressesCommand,
  AttachNetworkInterface: ec2.AttachNetworkInterfaceCommand,
  DetachNetworkInterface: ec2.DetachNetworkInterfaceCommand,
  CreateTags: ec2.CreateTagsCommand,
  DeleteTags: ec2.DeleteTagsCommand,
};

const commandOf = (action: string): CommandClass | undefined =>
  Object.entries(COMMANDS).find(([name]) => name === action)?.[1];

/**
 * Attempts of a read, which the SDK itself may repeat. It never repeats a mutating call: a stale
 * leader must be asked again before each send.
 */
const READ_ATTEMPTS = 2;

/** Longest wait for a connection, unless another is configured. */
const CONNECT_MAX_MS = 2_000;

const clientOf = (options: SdkTransportOptions, maxAttempts: number): ec2.EC2Client =>
  new ec2.EC2Client(clientConfigOf(options, maxAttempts, CONNECT_MAX_MS));

/**
 * The real SDK over HTTP. One client repeats reads once; another sends mutating calls exactly once.
 */
export function sdkTransport(options: SdkTransportOptions): SdkTransport {
  const readClient = clientOf(options, READ_ATTEMPTS);
  const mutatingClient = clientOf(options, 1);
  return {
    send: async (action, input, callOptions) => {
      // The SDK would leave the flag out, and EC2 would do it.
      if (input.DryRun === true && !knowsDryRun(action)) throw notSent(action, 'EC2 has no DryRun for it', null);
      const client = callOptions?.mutating === false ? readClient : mutatingClient;
      const departure: Departure = { hasLeft: false };
      const command = commandFor(action, input, callOptions, departure);
      const signal = callOptions?.signal;
      try {
        const answer = await client.send(command, signal ? { abortSignal: signal } : {});
        return { ...answer };
      } catch (error) {
        throw departure.hasLeft || callOptions?.mutating === false ? error : neverLeft(action, error);
      }
    },
    close: () => {
      readClient.destroy();
      mutatingClient.destroy();
    },
  };
}

interface Departure {
  /** The signed request was given to the sockets. From here on it may have been applied. */
  hasLeft: boolean;
}

/**
 * The SDK gave up on its own side (no endpoint for the Region, a member it cannot serialize).
 * Nothing was applied, whatever it says. Missing credentials keep the SDK's own name, which has its
 * own remedy. An abort is known to the caller that aborted.
 */
function neverLeft(action: string, error: unknown): unknown {
  if (isOperationError(error) || error instanceof InvariantViolation || !(error instanceof Error)) return error;
  if (error.name === 'CredentialsProviderError' || error.name === 'TokenProviderError') return error;
  return notSent(
    action,
    `the SDK could not make the request (${error.message}): check the Region and aws.endpoint`,
    error,
  );
}

/**
 * The command asks `mayStart` once more after signing. Resolving credentials and signing wait for
 * others, and a process gets paused while it waits.
 */
function commandFor(
  action: string,
  input: Record<string, unknown>,
  callOptions: Ec2CallOptions | undefined,
  departure: Departure,
) {
  const CommandType = commandOf(action);
  invariant(CommandType, `no SDK command for ${action}`);
  // All commands have this shape. The SDK's own types say so only one by one, and EC2 itself checks
  // the input.
  const command = new CommandType(input as never) as ec2.DescribeSubnetsCommand;
  command.middlewareStack.add(
    (next) => (args) => {
      assertMayStart(action, callOptions);
      departure.hasLeft = true;
      return next(args);
    },
    { step: 'finalizeRequest', priority: 'low', name: 'understudyMayStart' },
  );
  checkAnswers(command.middlewareStack, action, EC2_QUERY);
  return command;
}
