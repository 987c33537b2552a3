import { noop } from 'cockatiel';
import { Etcd3, type IOptions } from 'etcd3';
import { durationText, type Clock, OperationError } from '@understudy/shared';
import { isStaleToken } from './etcd-errors.ts';

type CallOptions = Exclude<NonNullable<IOptions['defaultCallOptions']>, (...args: never[]) => unknown>;
type Interceptor = NonNullable<CallOptions['interceptors']>[number];
type InterceptedCall = ReturnType<Interceptor>;

export interface EtcdEndpointOptions {
  /** `http://host:port` or `https://host:port`. */
  readonly host: string;
  readonly clock: Clock;
  readonly callTimeoutMs: number;
  readonly tls?: { readonly ca?: Buffer; readonly cert?: Buffer; readonly key?: Buffer };
  readonly auth?: { readonly username: string; readonly password: string };
}

/** Pings under 5 s get a GOAWAY (too_many_pings) from an etcd with default settings. */
const GRPC_OPTIONS = {
  'grpc.keepalive_time_ms': 5000,
  'grpc.keepalive_timeout_ms': 2000,
  'grpc.max_receive_message_length': 64 << 20,
  'grpc.max_send_message_length': 64 << 20,
  'grpc.initial_reconnect_backoff_ms': 100,
  'grpc.max_reconnect_backoff_ms': 1000,
  'grpc.enable_retries': 0,
  // Each endpoint has its own connections: after a channel was closed because its connection is
  // dead, the next must not get the same connection again.
  'grpc.use_local_subchannel_pool': 1,
  'grpc.service_config_disable_resolution': 1,
} as const;

const CANCELLED = 1;
const DEADLINE_EXCEEDED = 4;

/**
 * One etcd member, through etcd3's raw clients with all fault handling off. Deadlines run on our
 * monotonic clock. gRPC's own are points on the wall clock, which can step.
 */
export class EtcdEndpoint {
  readonly host: string;
  readonly #options: EtcdEndpointOptions;
  readonly #calls = new Set<InterceptedCall>();
  #client: Etcd3 | null = null;
  #closed = false;

  constructor(options: EtcdEndpointOptions) {
    this.host = options.host;
    this.#options = options;
  }

  /** The raw clients: `kv`, `leaseClient`, `watchClient`, `maintenance`. */
  get client(): Etcd3 {
    if (this.#closed) throw new OperationError('STORE_UNAVAILABLE', 'the store is closed');
    this.#client ??= this.#connect();
    return this.#client;
  }

  /**
   * Runs one unary call, authentication included, for at most the call timeout. Nothing of it is
   * sent after that.
   * @throws what gRPC or etcd3 throws; STORE_UNAVAILABLE-like text when it timed out.
   */
  async unary<T>(work: (client: Etcd3, options: CallOptions) => Promise<T>): Promise<T> {
    const scope = { over: false, call: null as InterceptedCall | null };
    const expired = Promise.withResolvers<never>();
    const timer = this.#options.clock.setTimer(this.#options.callTimeoutMs, () => {
      scope.over = true;
      scope.call?.cancelWithStatus(DEADLINE_EXCEEDED, 'call timeout');
      expired.reject(
        new Error(
          `${DEADLINE_EXCEEDED} DEADLINE_EXCEEDED: no answer within ${durationText(this.#options.callTimeoutMs)}`,
        ),
      );
    });
    const bound: Interceptor = (options, nextCall) => {
      const call = nextCall(options) as unknown as InterceptedCall;
      scope.call = call;
      return onStart(call, () => scope.over && call.cancelWithStatus(DEADLINE_EXCEEDED, 'call timeout'));
    };
    try {
      return await Promise.race([work(this.client, { interceptors: [bound, this.#tracked] }), expired.promise]);
    } catch (error) {
      if (isStaleToken(error)) this.#reconnect();
      throw error;
    } finally {
      timer.cancel();
    }
  }

  /**
   * Options for a stream. The stream breaks when its member has no leader; without that, a member
   * cut off from the quorum would keep it for ever.
   */
  streamOptions(): CallOptions {
    return { interceptors: [this.#tracked] };
  }

  /** Cancels the calls under way. Idempotent, does not wait. */
  close(): void {
    this.#closed = true;
    for (const call of this.#calls) call.cancelWithStatus(CANCELLED, 'the store is closed');
    this.#calls.clear();
    this.#client?.close();
    this.#client = null;
  }

  #reconnect(): void {
    this.#client?.close();
    this.#client = null;
  }

  /** Asks for a member with a leader, and remembers the call so that `close` can end it. */
  readonly #tracked: Interceptor = (options, nextCall) => {
    const call = nextCall(options) as unknown as InterceptedCall;
    const start = call.start.bind(call);
    call.start = (metadata, listener) => {
      // Authentication shares its metadata object between calls. Setting the same value again is
      // harmless.
      metadata.set('hasleader', 'true');
      this.#calls.add(call);
      start(metadata, {
        ...(listener?.onReceiveMetadata ? { onReceiveMetadata: listener.onReceiveMetadata.bind(listener) } : {}),
        ...(listener?.onReceiveMessage ? { onReceiveMessage: listener.onReceiveMessage.bind(listener) } : {}),
        onReceiveStatus: (status) => {
          this.#calls.delete(call);
          listener?.onReceiveStatus?.(status);
        },
      });
    };
    return call;
  };

  #connect(): Etcd3 {
    const { host, tls, auth, clock, callTimeoutMs } = this.#options;
    return new Etcd3({
      hosts: [host],
      faultHandling: { host: () => noop, global: noop },
      grpcOptions: GRPC_OPTIONS,
      ...(tls ? { credentials: credentialsOf(tls) } : {}),
      ...(auth ? { auth: { ...auth, callOptions: () => ({ interceptors: [expiring(clock, callTimeoutMs)] }) } } : {}),
    });
  }
}

function credentialsOf(tls: NonNullable<EtcdEndpointOptions['tls']>): NonNullable<IOptions['credentials']> {
  const { ca, cert, key } = tls;
  return {
    ...(ca ? { rootCertificate: ca } : {}),
    ...(cert && key ? { certChain: cert, privateKey: key } : {}),
  } as NonNullable<IOptions['credentials']>;
}

/** Calls `started` right after the call was started, before its message is sent. */
function onStart(call: InterceptedCall, started: () => void): InterceptedCall {
  const start = call.start.bind(call);
  call.start = (metadata, listener) => {
    start(metadata, listener);
    started();
  };
  return call;
}

/** Puts a deadline on the call that fetches a token, which etcd3 makes on its own. */
function expiring(clock: Clock, timeoutMs: number): Interceptor {
  return (options, nextCall) => {
    const call = nextCall(options) as unknown as InterceptedCall;
    const start = call.start.bind(call);
    call.start = (metadata, listener) => {
      const timer = clock.setTimer(timeoutMs, () => call.cancelWithStatus(DEADLINE_EXCEEDED, 'authentication timeout'));
      start(metadata, {
        ...(listener?.onReceiveMetadata ? { onReceiveMetadata: listener.onReceiveMetadata.bind(listener) } : {}),
        ...(listener?.onReceiveMessage ? { onReceiveMessage: listener.onReceiveMessage.bind(listener) } : {}),
        onReceiveStatus: (status) => {
          timer.cancel();
          listener?.onReceiveStatus?.(status);
        },
      });
    };
    return call;
  };
}
