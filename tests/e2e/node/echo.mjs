// echo.mjs URL SIZE…: sends a text and a binary message of each size with `ws`, and compares what comes back.
import { createHash, randomFillSync } from 'node:crypto';
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

for (const size of sizes.map(Number)) {
  const bytes = randomFillSync(Buffer.alloc(size));
  const text = createHash('sha512').update(bytes).digest('hex').repeat(Math.ceil(size / 128)).slice(0, size);
  for (const message of [bytes, text]) {
    const answer = next();
    socket.send(message);
    const { data, binary } = await answer;
    say({ size, binary, same: binary === (message === bytes) && Buffer.compare(data, Buffer.from(message)) === 0 });
    socket.removeAllListeners('close');
  }
}
const closed = new Promise((resolve) => socket.once('close', (code, reason) => resolve({ code, reason: String(reason) })));
socket.close(4321, 'enough');
say({ closed: await closed });
