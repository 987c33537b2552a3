import { everySecondPlantedBug } from './planted-suite.ts';

everySecondPlantedBug(1);
