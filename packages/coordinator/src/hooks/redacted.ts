import { harmlessText } from '@understudy/shared';

/** What looks like a secret is not told on: keys of AWS, tokens, webhook secrets, passwords. */
const SECRETS =
  /\b(?:AKIA|ASIA)[A-Z0-9]{16}\b|\bwhsec_[A-Za-z0-9+/=]+|\bBearer\s+\S+|\b(?:password|passwd|secret|token|key)\s*[=:]\s*\S+/gi;

export const redacted = (text: string): string => harmlessText(text.trim()).replace(SECRETS, '[redacted]');
