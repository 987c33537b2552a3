export { openUdpSocket } from './adapters/udp-socket.ts';
export { type AgentConfig, AgentConfigSchema, maskedConfig, parseHostPort } from './config.ts';
export { AGENT_EXIT, runAgent, type RunAgentOptions } from './main.ts';
