// follow_heads.mjs URL: prints each new head and each connect and disconnect, until it is stopped.
import { preferWs, say } from './say.mjs';

preferWs();
const { ApiPromise, WsProvider } = await import('@polkadot/api');
const provider = new WsProvider(process.argv[2], 300);
provider.on('error', (error) => say({ event: 'error', message: error.message }));
const api = await ApiPromise.create({ provider, noInitWarn: true });
api.on('connected', () => say({ event: 'connected' }));
api.on('disconnected', () => say({ event: 'disconnected' }));
await api.rpc.chain.subscribeNewHeads((head) => say({ head: head.number.toNumber(), hash: head.hash.toHex() }));
await api.rpc.chain.subscribeFinalizedHeads((head) => say({ finalized: head.number.toNumber() }));
