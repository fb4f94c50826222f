#include "unit/catch.h"
