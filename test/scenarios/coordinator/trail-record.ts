export const ALICE = 'arn:aws:sts::123456789012:assumed-role/ops/alice';

/** An event of EventBridge with CloudTrail's record of a TerminateInstances by Alice. */
export const trailRecord = (instanceId: string, atWallMs: number, over: object = {}) => ({
  ...{ id: 'ct', 'detail-type': 'AWS API Call via CloudTrail', source: 'aws.ec2', resources: [] },
  detail: {
    ...{ eventID: 'ct-1', eventTime: new Date(atWallMs).toISOString(), eventName: 'TerminateInstances' },
    ...{ requestID: 'r-1', userIdentity: { arn: ALICE } },
    ...{ requestParameters: { instancesSet: { items: [{ instanceId }] } }, ...over },
  },
});
