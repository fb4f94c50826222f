// wolfssl-random.h: what CUSTOM_RAND_GENERATE_BLOCK names, put before each of wolfSSL's own sources. It is defined in
// src/tls/random.cc.
#pragma once

#ifndef __ASSEMBLER__
int ringwall_random(unsigned char* output, unsigned int bytes);
#endif
