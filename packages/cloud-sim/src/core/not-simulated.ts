/**
 * What EC2 has, or does, and this Region does not. There a rehearsal says nothing about the real
 * thing. It is shown by `GET /_sim/limits`, counted in the first log line, and listed in
 * docs/cloud-sim.md (a test compares).
 */
export const NOT_SIMULATED: readonly string[] = [
  'launch templates, Spot, fleets and Auto Scaling groups',
  'NVMe reservations of Multi-Attach volumes',
  'KMS beyond DescribeKey: keys are made, disabled and deleted by POST /_sim/kms/keys, at once and for everybody; policies and grants are one word per key',
  'IAM and License Manager: profiles and licences are names that exist or not; permissions are those of denied actions, required tags and setAuthorize',
  'CreateImage, CopySnapshot, ModifyVolume, Recycle Bin',
  'host resource groups, and room on Dedicated Hosts: they are made by POST /_sim/hosts and never full',
  'places in placement groups: they are names that exist or not, and take no room. Places in capacity reservations are taken by launches that name one, not by those that only prefer them: an open one is used by nobody who does not name it',
  'platforms with a licence of their own, and what Marketplace terms forbid: product codes are set by POST /_sim/product-codes, carried by disks and shown',
  'instance store disks: types have them, machines do not, and ephemeralN mappings are refused',
  'security group rules, network ACLs and where routes lead',
  'first reads of volumes made from snapshots beyond those of a boot: with volume.first-read-per-gib a boot takes longer, and once it runs a machine reads at full speed',
  'fast snapshot restore beyond its effect: it is set by POST /_sim/fast-restores, at once, without credits',
  'cloud-init beyond disk_setup, fs_setup, mkfs and write_files: scripts are not run, templates not filled in, includes not fetched',
  'several network cards at AttachNetworkInterface',
  'Route 53 beyond records of hosted zones: nobody is answered by DNS, and routing policies are carried, not followed',
  'Elastic Load Balancing beyond targets: nothing is balanced, listeners do not exist, checks follow the state of the machine, and its rates are not limited',
  'EventBridge beyond buses with rules and SQS targets: no input transformers, no retries of a delivery, one event per snapshot and none per set of them; buses and rules are made by POST /_sim/events-bus/…',
  'SNS beyond Publish to queues: no mail, HTTP or Lambda, no retries of a delivery, no signature; attributes are lost in raw delivery; topics and their subscriptions are made by POST /_sim/sns/topics',
  'SQS beyond standard queues: FIFO, batches, and making queues are not there; queues are made by POST /_sim/sqs/queues',
  'Systems Manager beyond values and Run Command with AWS-RunShellScript on named instances: scripts are not run, what they come to is said by POST /_sim/ssm/scripts, and agents are registered by POST /_sim/instances/:id/managed',
];
