// What every machine of the architecture has.
#define DUCHENNE_LANES 4
#define DUCHENNE_TABLE kBaselineLoops
#define DUCHENNE_INSTRUCTION_SET "baseline"
#include "table.h"
