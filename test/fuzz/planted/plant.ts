import { plantNamed } from '../../sim/planted/plant-named.ts';
import { FUZZ_BUGS } from './bugs.ts';

plantNamed(FUZZ_BUGS);
