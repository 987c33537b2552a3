import * as z from 'zod';

/**
 * Section `enrolment` of the configuration: agents get their key for the signed identity of their
 * instance. Absent: nobody does. `docs/enrolment.md` is the operator's page for it.
 */
export const EnrolmentConfigSchema = z.strictObject({
  /** Ids of the AWS accounts whose instances may enrol, 1 to 20: the one that we ask EC2 with. */
  accounts: z
    .array(z.string().regex(/^\d{12}$/, 'want 12 digits'))
    .min(1)
    .max(20),
  /**
   * File with the certificates (PEM) that identity documents of our Region are signed by, kind
   * rsa2048. Default: AWS's own, for the Regions that this build has it of.
   */
  certificateFile: z.string().min(1).optional(),
});
