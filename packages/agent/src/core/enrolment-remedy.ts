const PASSES = 'nothing: it passes by itself, and is asked again';

/** By the coordinators' reason (docs/enrolment.md), and by what kept us from asking them. */
const REMEDIES: Readonly<Record<string, string>> = {
  MemberUnknown: PASSES,
  InstanceNotRunning: PASSES,
  InstanceUnknown: PASSES,
  TooOften: PASSES,
  NotLeading: 'nothing, if it passes: no coordinator leads, or etcd or EC2 does not answer it; understudy status',
  AlreadyEnrolled:
    'find out who else asked on this machine (understudy enrolments list); if it was this agent before its state directory was made anew: understudy enrolments reset',
  AccountForeign: "name this instance's account in enrolment.accounts of every coordinator",
  AddressForeign:
    'let this instance reach the coordinators without a NAT or a proxy between, or use another source of keys',
  DocumentOutdated: 'stop and start this instance, so that its metadata service has a new document',
  DocumentUnreadable: 'see that nothing stands between this instance and its metadata service',
  NotTheInstance:
    'leave it: another instance is activated for this member; or take the tags of this member from this instance',
  RegionForeign: 'name coordinators of the Region of this instance in key.enrolAt',
  SignatureWrong: "give the coordinators AWS's certificate of this Region: enrolment.certificateFile",
  KeyUnusable: 'remove enrolment.json from stateDir: the agent makes another key pair',
  TagsOther: 'correct the tags understudy:group and understudy:member of this instance, or member in this file',
  EnrolmentOff: 'configure enrolment and http.tls on every coordinator, or use another source of keys',
  CertificateRefused:
    "give the authority of the coordinators' certificates in key.caFile, and name them in key.enrolAt as their certificates do",
  AuthorityUnreadable: 'put the authority of the coordinators where key.caFile says',
  MetadataSilent: 'switch the metadata service of this instance on (IMDSv2), and see that it is reached',
  SecretUnkept: 'make stateDir readable and writable for the agent',
  AnswerForeign: 'see who answers at key.enrolAt: it was sealed for somebody else',
};

/** What an operator can do about an enrolment that was refused. */
export const enrolmentRemedy = (name: string): string =>
  REMEDIES[name] ?? 'see that this instance reaches the coordinators of key.enrolAt (https, their port http.port)';
