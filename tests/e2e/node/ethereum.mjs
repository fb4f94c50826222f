// ethereum.mjs WSS HTTPS: `ethers` against a JSON-RPC server, over a WebSocket and over POST.
import { preferWs, say } from './say.mjs';

preferWs();
const { JsonRpcProvider, Network, WebSocketProvider, parseEther } = await import('ethers');
const [wss, https] = process.argv.slice(2);
const overSocket = new WebSocketProvider(wss);
// Each call its own POST, so that many go at once over kept connections.
const overPost = new JsonRpcProvider(https, Network.from(31337), { staticNetwork: true, batchMaxCount: 1, cacheTimeout: -1 });

say({ chainId: Number((await overSocket.getNetwork()).chainId), overPost: Number(await overPost.send('eth_chainId', [])) });

const blocks = [];
const seen = new Promise((resolve) => overSocket.on('block', (number) => { if (blocks.push(number) === 3) resolve(); }));
const signer = await overSocket.getSigner(0);
const to = (await overSocket.send('eth_accounts', []))[1];
const before = await overSocket.getBalance(to);
for (let i = 0; i < 3; ++i) await (await signer.sendTransaction({ to, value: parseEther('1') })).wait();
await seen;
say({ blocks, received: String(((await overPost.getBalance(to)) - before) / parseEther('1')) });

const answers = await Promise.all(Array.from({ length: 50 }, (_, i) => overPost.send('web3_sha3', ['0x' + i.toString(16).padStart(2, '0')])));
say({ posts: answers.length, distinct: new Set(answers).size });

const batched = new JsonRpcProvider(https, Network.from(31337), { staticNetwork: true, batchMaxCount: 20, cacheTimeout: -1 });
say({ batch: (await Promise.all(Array.from({ length: 20 }, () => batched.getBlockNumber()))).length });

const wrong = await overSocket.send('eth_noSuchMethod', []).then(() => null, (error) => error);
say({ wrong: wrong?.error?.code ?? wrong?.code });
await overSocket.destroy();
say({ done: true });
process.exit(0);
