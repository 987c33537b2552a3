/**
 * A name as Route 53 answers it: lower case, with the dot at its end, and everything that is no
 * letter, digit, hyphen or underscore as an octal escape (`*` as `\052`). Names are compared in
 * this form only (Route 53 Developer Guide, DNS domain name format). Idempotent.
 */
export function normalisedDnsName(name: string): string {
  const plain = name.replace(/\\([0-7]{3})/g, (_, digits: string) => String.fromCharCode(Number.parseInt(digits, 8)));
  const dotted = plain.endsWith('.') ? plain : `${plain}.`;
  return dotted
    .toLowerCase()
    .replace(/[^a-z0-9_.-]/g, (letter) => `\\${letter.charCodeAt(0).toString(8).padStart(3, '0')}`);
}
