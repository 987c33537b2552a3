/** What became of a datagram given to a receive thread for sending; the state of its place. */
export const SEND_STATE = {
  /** Its place is the thread's. */
  underWay: 1,
  /** Handed to the kernel. */
  sent: 2,
  /** The kernel or the socket refused. */
  refused: 3,
  /**
   * It waited longer than {@link SEND_AGE_MAX_MS}: what an ack says holds for so long from when it
   * was made.
   */
  tooLate: 4,
} as const;

/**
 * A datagram that waited longer than this for its thread is not sent. Acks are promises with a
 * date, and a late probe proves nothing.
 */
export const SEND_AGE_MAX_MS = 1_000;
