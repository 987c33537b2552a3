import { Ec2Error } from '../ec2-error.ts';
import { ACCOUNT_ID, type Region } from '../region.ts';
import { accessRequests } from './access-requests.ts';

/** EC2 encodes what it compared, for `sts:DecodeAuthorizationMessage`. Here it is only base64. */
const encoded = (denied: object): string => Buffer.from(JSON.stringify(denied)).toString('base64url');

/**
 * Asks whoever authorizes about everything a call needs, in order. Without anybody to ask,
 * everything is allowed.
 * @throws UnauthorizedOperation, in EC2's words
 */
export function requireRights(
  region: Region,
  principal: string,
  action: string,
  input: Readonly<Record<string, unknown>>,
): void {
  const { authorize } = region;
  if (authorize === null) return;
  const denied = accessRequests(region, principal, action, input).find((request) => !authorize(request));
  if (denied === undefined) return;
  const user = `arn:aws:sts::${ACCOUNT_ID}:assumed-role/sim/${principal}`;
  throw new Ec2Error(
    'UnauthorizedOperation',
    `You are not authorized to perform this operation. User: ${user} is not authorized to perform: ${denied.action} on resource: ${denied.resource} because no identity-based policy allows the ${denied.action} action. Encoded authorization failure message: ${encoded(denied)}`,
  );
}
