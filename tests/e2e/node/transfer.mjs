// transfer.mjs URL: a signed transfer on a real runtime, from submission to the balances after its block.
import { ApiPromise, Keyring, WsProvider } from '@polkadot/api';
import { say } from './say.mjs';

const api = await ApiPromise.create({ provider: new WsProvider(process.argv[2], 1000), noInitWarn: true });
const keyring = new Keyring({ type: 'sr25519' });
const alice = keyring.addFromUri('//Alice');
const bob = keyring.addFromUri('//Bob');
const free = async (who) => (await api.query.system.account(who.address)).data.free.toBigInt();
say({ chain: api.runtimeChain.toString(), spec: api.runtimeVersion.specName.toString() });

const before = { alice: await free(alice), bob: await free(bob) };
const amount = 10n ** 12n;
const states = [];
const block = await new Promise((resolve, reject) => {
  api.tx.balances.transferKeepAlive(bob.address, amount).signAndSend(alice, ({ status, dispatchError, events }) => {
    states.push(status.type);
    if (dispatchError) reject(new Error(dispatchError.toString()));
    // The library leaves InBlock out where Finalized comes before it is done with that.
    if (!status.isInBlock && !status.isFinalized) return;
    resolve({ hash: status.value.toHex(), events: events.map(({ event }) => `${event.section}.${event.method}`) });
  }).catch(reject);
});
const after = { alice: await free(alice), bob: await free(bob) };
say({ states, block: block.hash, events: block.events });
say({ received: String(after.bob - before.bob), amount: String(amount), spent: String(before.alice - after.alice) });
await api.disconnect();
process.exit(0);
