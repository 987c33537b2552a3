import { type Problem, problemOf } from '@understudy/shared';

/**
 * Kernel memory for one waiting heartbeat, in bytes of what was asked for: Linux grants twice that
 * and counts 832 bytes for each datagram of our size. A network driver may need more of it.
 */
const BYTES_PER_HEARTBEAT = 416;

export interface ReceiveBuffer {
  /** The size that the kernel granted. Absent where the socket has no such buffer. */
  readonly socket: { readonly receiveBufferBytes?: number };
  /** The size that was asked for. */
  readonly config: { readonly udp: { readonly receiveBufferBytes: number } };
}

/**
 * The kernel gave less than was asked for, and it holds less than a second of what the watched
 * agents send, at about one heartbeat each. A pause of this process then loses some. Null: it does
 * not.
 */
export function receiveBufferProblem({ socket, config }: ReceiveBuffer, agentCount: number): Problem | null {
  const grantedBytes = socket.receiveBufferBytes;
  const wantedBytes = config.udp.receiveBufferBytes;
  if (grantedBytes === undefined || grantedBytes >= wantedBytes) return null;
  const fits = Math.floor(grantedBytes / BYTES_PER_HEARTBEAT);
  if (fits >= agentCount) return null;
  const seconds = (fits / agentCount).toFixed(2);
  return problemOf(
    'RECEIVE_BUFFER_SMALL',
    `the kernel granted ${grantedBytes} of ${wantedBytes} bytes for heartbeats: ${fits} of them, ${seconds} s of ${agentCount} agents`,
  );
}
