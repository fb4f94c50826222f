// One JSON object a line is how every script here tells the test what it saw.
export const say = (facts) => process.stdout.write(JSON.stringify(facts) + '\n');

// The npm package `ws` in place of Node's own WebSocket, for libraries that take the global one if there is one. Node's
// own fires no `close` after a handshake that failed, and then nothing that builds on it ever tries again.
export const preferWs = () => { delete globalThis.WebSocket; };
