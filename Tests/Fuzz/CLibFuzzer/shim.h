#include <stddef.h>
#include <stdint.h>

/* What libFuzzer exports; it has no header of its own. `-sanitize=fuzzer` links it, with its main. */
size_t LLVMFuzzerMutate(uint8_t *data, size_t size, size_t limit);
