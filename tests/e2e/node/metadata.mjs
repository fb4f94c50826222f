// metadata.mjs FILE: the real runtime metadata that the package ships, as the hex text that state_getMetadata answers.
import fs from 'node:fs';
import metadata from '@polkadot/types-support/metadata/v14/polkadot-hex';
import version from '@polkadot/types-support/metadata/v14/polkadot-ver';
import { say } from './say.mjs';

fs.writeFileSync(process.argv[2], metadata);
say({ bytes: metadata.length, specName: version.specName, specVersion: version.specVersion });
