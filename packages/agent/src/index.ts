export { openUdpSocket } from './adapters/udp-socket.ts';
export { type AgentConfig, AgentConfigSchema } from './config.ts';
export { maskedConfig, parseHostPort } from './config-values.ts';
export { AGENT_EXIT, runAgent, type RunAgentOptions } from './main.ts';
