// read_chain.mjs URL: what an application reads first, with the real @polkadot/api and Node's own WebSocket.
import { ApiPromise, WsProvider } from '@polkadot/api';
import { say } from './say.mjs';

const api = await ApiPromise.create({ provider: new WsProvider(process.argv[2], 1000), noInitWarn: true });
say({
  chain: api.runtimeChain.toString(),
  genesis: api.genesisHash.toHex(),
  specName: api.runtimeVersion.specName.toString(),
  specVersion: api.runtimeVersion.specVersion.toNumber(),
  pallets: api.runtimeMetadata.asLatest.pallets.length,
  constant: api.consts.system.blockHashCount.toString(),
});

const [name, version, health] = await Promise.all([api.rpc.system.name(), api.rpc.system.version(), api.rpc.system.health()]);
say({ name: name.toString(), version: version.toString(), peers: health.peers.toNumber() });

const first = await api.rpc.chain.getBlockHash(1);
const block = await api.rpc.chain.getBlock(first);
const header = await api.rpc.chain.getHeader(first);
say({ first: first.toHex(), firstOfBlock: block.block.header.hash.toHex(), firstOfHeader: header.hash.toHex() });

const metadata = await api.rpc.state.getMetadata();
say({ metadataBytes: metadata.toU8a().length, metadataVersion: metadata.version });

const wrong = await api._rpcCore.provider.send('no_such_method', []).then(() => null, (error) => error);
say({ wrongCode: wrong?.code });

const heads = async (subscribe, count) => {
  const numbers = [];
  await new Promise((resolve) => {
    const unsubscribe = subscribe((head) => {
      if (numbers.push(head.number.toNumber()) === count) unsubscribe.then((stop) => { stop(); resolve(); });
    });
  });
  return numbers;
};
say({ heads: await heads(api.rpc.chain.subscribeNewHeads, 4) });
say({ finalized: await heads(api.rpc.chain.subscribeFinalizedHeads, 3) });
say({ best: (await api.derive.chain.bestNumber()).toNumber() });
await api.disconnect();
say({ done: true });
process.exit(0);
