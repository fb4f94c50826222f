// kubernetes.mjs FILE: holds the objects of a JSON list against Kubernetes' own schemas, and prints a line for each.
import { readFileSync } from "node:fs";

const packages = { "monitoring.coreos.com": "@kubernetes-models/prometheus-operator" };

// The schemas let unknown fields pass, which Kubernetes does not. What no schema asked for is unknown: `unread` has the
// paths of all fields, and loses each that is read.
function watched(value, path, unread) {
  if (value === null || typeof value !== "object") return value;
  const places = Object.keys(value).map((key) => [key, `${path}.${key}`]);
  const children = Object.fromEntries(places.map(([key, place]) => [key, watched(value[key], place, unread)]));
  for (const [, place] of places) unread.add(place);
  return new Proxy(value, {
    get(target, key) {
      unread.delete(`${path}.${String(key)}`);
      return Object.hasOwn(children, key) ? children[key] : Reflect.get(target, key);
    },
  });
}

for (const object of JSON.parse(readFileSync(process.argv[2], "utf8"))) {
  const { apiVersion, kind } = object;
  const found = { apiVersion, kind, name: object.metadata?.name };
  const from = packages[apiVersion.split("/")[0]] ?? "kubernetes-models";
  const unread = new Set();
  try {
    const { [kind]: Model } = await import(`${from}/${apiVersion}/${kind}`);
    watched(new Model(object), "", unread).validate();
    if (unread.size > 0) found.problem = `unknown: ${[...unread].join(", ")}`;
  } catch (error) {
    found.problem = error.message;
  }
  console.log(JSON.stringify(found));
}
