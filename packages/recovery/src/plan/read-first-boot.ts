import { gunzipSync } from 'node:zlib';
import { type FirstBoot, firstBootOf } from '../core/user-data/first-boot.ts';
import { TEXT_MAX, type Unzip } from '../core/user-data/parts.ts';

/** null: no gzip, damaged, or larger than anybody's user data. */
const unzip: Unzip = (packed) => {
  try {
    return gunzipSync(packed, { maxOutputLength: TEXT_MAX });
  } catch {
    return null;
  }
};

/** What a replacement's first boot makes of this user data (base64, or null). */
export const readFirstBoot = (userData: string | null): FirstBoot => firstBootOf(userData, unzip);
