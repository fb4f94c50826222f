// echo.mjs URL SIZE…: sends a binary and a text message of each size with `ws`, and compares what comes back. What is
// smaller than a call, the node is asked to unwrap.
import { randomFillSync } from 'node:crypto';
import WebSocket from 'ws';
import { say } from './say.mjs';

const [url, ...sizes] = process.argv.slice(2);
const socket = new WebSocket(url, { maxPayload: 0 });
const next = () => new Promise((resolve, reject) => {
  socket.once('message', (data, binary) => resolve({ data, binary }));
  socket.once('close', (code, reason) => reject(new Error(`closed: ${code} ${reason}`)));
});
await new Promise((resolve, reject) => { socket.once('open', resolve); socket.once('error', reject); });
say({ extensions: socket.extensions, protocol: socket.protocol });

const call = (method, text) => `{"jsonrpc":"2.0","id":1,"method":"${method}","params":["${text}"]}`;
const smallest = call('echo', '').length;
for (const size of sizes.map(Number)) {
  const small = size < smallest;
  const length = small ? size : size - smallest;
  const text = randomFillSync(Buffer.alloc(length)).toString('base64').slice(0, length);
  const message = call(small ? 'unwrap' : 'echo', text);
  const expected = Buffer.from(small ? text : message);
  for (const asBinary of [true, false]) {
    const answer = next();
    socket.send(asBinary ? Buffer.from(message) : message);
    const { data, binary } = await answer;
    say({ size, binary, same: binary === asBinary && Buffer.compare(data, expected) === 0 });
    socket.removeAllListeners('close');
  }
}
const closed = new Promise((resolve) => socket.once('close', (code, reason) => resolve({ code, reason: String(reason) })));
socket.close(4321, 'enough');
say({ closed: await closed });
