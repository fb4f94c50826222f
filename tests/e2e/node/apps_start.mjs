// apps_start.mjs URL: what Polkadot.js Apps asks when a tab opens, and the subscriptions that it holds; then it says
// which of its calls failed, and how.
import { say } from './say.mjs';

const { ApiPromise, WsProvider } = await import('@polkadot/api');
const provider = new WsProvider(process.argv[2], 1000);
const failed = {};
let calls = 0;
const note = (method, promise) => {
  ++calls;
  promise.catch((error) => { failed[method] = error.code ?? String(error.message ?? error); });
  return promise;
};
const { send, subscribe } = provider;
provider.send = (method, ...rest) => note(method, send.call(provider, method, ...rest));
provider.subscribe = (type, method, ...rest) => note(method, subscribe.call(provider, type, method, ...rest));

const api = await ApiPromise.create({ provider, noInitWarn: true });
// apps: packages/react-api/src/Api.tsx, retrieve()
await Promise.all([api.rpc.system.properties(), api.rpc.system.chain(), api.rpc.system.chainType(), api.rpc.system.name(), api.rpc.system.version()]);
// The header, the side bar and the explorer's front page.
const follow = (start) => new Promise((resolve) => { start(resolve).catch(() => resolve()); });
await Promise.all([
  follow((seen) => api.derive.chain.subscribeNewHeads(seen)),
  follow((seen) => api.derive.chain.bestNumber(seen)),
  follow((seen) => api.derive.chain.bestNumberFinalized(seen)),
  follow((seen) => api.rpc.chain.subscribeFinalizedHeads(seen)),
  follow((seen) => api.rpc.state.subscribeRuntimeVersion(seen)),
]);
await Promise.allSettled([
  api.query.timestamp.now(() => {}),
  api.query.system.events(() => {}),
  api.query.system.account('15oF4uVJwmo4TdGW7VfQxNLavjCXviqxT9S1MgbjMNHr6Sp5', () => {}),
  api.query.balances.totalIssuance(() => {}),
  api.query.staking.activeEra(() => {}),
  api.query.session.currentIndex(() => {}),
  api.query.session.validators(() => {}),
  api.query.democracy?.publicProps?.(() => {}),
  api.query.council?.proposals?.(() => {}),
  api.rpc.system.health(),
  api.rpc.chain.getBlock(),
  api.rpc.state.getMetadata(),
  api.rpc.author.pendingExtrinsics(),
  api.rpc.rpc.methods(),
].filter(Boolean));
await new Promise((resolve) => setTimeout(resolve, 2000));
say({ pallets: api.runtimeMetadata.asLatest.pallets.length, calls, failed });
await api.disconnect();
process.exit(0);
