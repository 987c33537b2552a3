import { plantNamed } from './plant-named.ts';
import { PLANTED_BUGS } from './planted-bugs.ts';

plantNamed(PLANTED_BUGS);
