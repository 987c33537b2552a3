import { loadConfig } from '@understudy/shared/node';
import { type AgentConfig, AgentConfigSchema } from './config.ts';

/** @throws CONFIG_INVALID with every fault, file and line. */
export const loadAgentConfig = (path: string): AgentConfig => loadConfig(AgentConfigSchema, path);
