import { randomBytes } from 'node:crypto';
import type { Random } from '../ports/random.ts';

export class SystemRandom implements Random {
  next(): number {
    return Math.random();
  }

  hex(byteCount: number): string {
    return randomBytes(byteCount).toString('hex');
  }
}
