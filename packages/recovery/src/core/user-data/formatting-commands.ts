/**
 * A program that can destroy what is on a disk. It counts by name, or, where its other uses are
 * harmless, only as `when` says.
 */
interface Formatter {
  readonly name: RegExp;
  readonly when?: (segment: string) => boolean;
}

const has = (pattern: RegExp) => (segment: string) => pattern.test(segment);
const lacks = (pattern: RegExp) => (segment: string) => !pattern.test(segment);

/** A device, or a variable that may name one. */
const DEVICE = /\/dev\/(?!null\b|zero\b|u?random\b|std(?:in|out|err)\b|tty|fd\/|shm\/|console\b|kmsg\b|log\b)|\$/;
const OPTION = (letters: string, words: string) => new RegExp(`(?:^|\\s)(?:-[A-Za-z]*[${letters}]|--(?:${words}))\\b`);

const FORMATTERS: readonly Formatter[] = [
  { name: /^(?:mkfs(?:\..+)?|mke2fs|mkdosfs|mkntfs|mkudffs|mkreiserfs|newfs(?:_.+)?|make-bcache|blkdiscard)$/ },
  { name: /^(?:pvcreate|pvremove|vgcreate|vgremove|lvcreate|lvremove)$/ },
  { name: /^(?:mkswap|shred)$/, when: has(DEVICE) },
  { name: /^parted$/, when: (segment) => PARTED.test(segment) || !/\s(?:-l|--list|print|align-check)\b/.test(segment) },
  { name: /^(?:sgdisk|gdisk|cgdisk)$/, when: lacks(/\s(?:-p|--print|-i|--info|-v|--verify|-l)\b/) },
  { name: /^(?:fdisk|sfdisk|cfdisk)$/, when: lacks(/\s(?:-l|--list|-x|-s|-d|--dump|-J|--json|-V|--verify)\b/) },
  { name: /^wipefs$/, when: has(OPTION('ao', 'all|offset')) },
  { name: /^dd$/, when: (segment) => /\bof=/.test(segment) && DEVICE.test(writtenBy(segment)) },
  { name: /^badblocks$/, when: has(OPTION('w', 'write')) },
  { name: /^mdadm$/, when: has(OPTION('CB', 'create|build|zero-superblock')) },
  { name: /^zpool$/, when: has(/\s(?:create|destroy|labelclear|add|attach|replace)\b/) },
  { name: /^cryptsetup$/, when: has(/\b(?:luksFormat|luksErase|erase|reencrypt)\b|--type[ =]plain/) },
  { name: /^nvme$/, when: has(/\s(?:format|sanitize|write|write-zeroes|dsm)\b/) },
  { name: /^hdparm$/, when: has(/--(?:security-erase|trim-sector)/) },
  { name: /^drbdadm$/, when: has(/\b(?:create-md|wipe-md)\b/) },
  { name: /^stratis$/, when: has(/\bpool\s+create\b/) },
  { name: /^vdo$/, when: has(/\bcreate\b/) },
  { name: /^btrfs$/, when: has(/\b(?:device\s+add|replace\s+start)\b/) },
  { name: /^ceph-(?:volume|disk)$/, when: has(/\b(?:prepare|create|batch|zap)\b/) },
];
/** The target of a `dd`, and all that follows. */
const writtenBy = (segment: string): string => segment.slice(segment.search(/\bof=/));
const PARTED = /\b(?:mklabel|mktable|mkpart|rm|resizepart)\b/;

/** These commands name programs without running them. */
const NAMES_ONLY =
  /^\s*(?:sudo\s+)?(?:[A-Z_]+=\S*\s+)*(?:apt|apt-get|aptitude|yum|dnf|microdnf|zypper|apk|pacman|snap|rpm|dpkg|pip3?|which|whereis|type|hash|man|grep|egrep|command\s+-v)\b/;

const REDIRECT = /(?<![0-9&])>{1,2}\|?\s*["']?(\/dev\/(?:sd|xvd|vd|hd|nvme|md|dm-|mapper\/|disk\/)[\w/.-]*)/;

const nameOf = (word: string): string => word.slice(word.lastIndexOf('/') + 1);

const deviceOf = (name: string, segment: string): string =>
  /\/dev\/[\w/.-]+/.exec(name === 'dd' ? writtenBy(segment) : segment)?.[0] ?? '';

/**
 * The commands in a text that can format or wipe a disk, each once, as program and device. Nothing
 * else of the text is returned, because it may hold secrets. A program counts wherever it is named,
 * in whatever language, unless the command only installs it or looks for it: better one too many
 * than one too few.
 */
export function formattingCommands(text: string): readonly string[] {
  const found = new Set<string>();
  for (const segment of segmentsOf(text)) {
    const redirect = REDIRECT.exec(segment);
    if (redirect) found.add(`> ${redirect[1] ?? ''}`);
    if (NAMES_ONLY.test(segment)) continue;
    for (const word of segment.split(/[\s"'`,=()[\]{}<>]+/)) {
      const name = nameOf(word);
      const known = FORMATTERS.find((formatter) => formatter.name.test(name));
      if (known && (known.when?.(segment) ?? true)) found.add(`${name} ${deviceOf(name, segment)}`.trim());
    }
  }
  return [...found];
}

/**
 * Commands end at a line's end, `;`, `|` and `&`. A line that ends with a backslash goes on, and a
 * line that begins with `#` is no command.
 */
const segmentsOf = (text: string): readonly string[] =>
  text
    .replaceAll(/\\\r?\n/g, ' ')
    .split(/\r?\n/)
    .filter((line) => !line.trimStart().startsWith('#'))
    .flatMap((line) => line.split(/;|\|+(?!\s*\/dev)|&&|&(?![>\d])/));
