/**
 * AWS's words for "too many calls" (EC2 API reference, errors-overview; the SDK's own list). The
 * request was not applied, and calls of that action have to become fewer. Other limits that pass by
 * themselves are none of these: they say nothing about the rate of calls.
 */
export const THROTTLE_CODES: readonly string[] = [
  'RequestLimitExceeded',
  'Throttling',
  'ThrottlingException',
  'ThrottledException',
  'RequestThrottled',
  'RequestThrottledException',
  'TooManyRequestsException',
  'EC2ThrottledException',
  'BandwidthLimitExceeded',
  'SlowDown',
  // SNS.
  'Throttled',
];
