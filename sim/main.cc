// The simulation as a program of its own: builds without the daemon.
#include "sim/sim.h"

int main(int argc, char** argv) { return blixard::sim::run({argv + 1, argv + argc}); }
