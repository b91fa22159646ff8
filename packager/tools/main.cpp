//===- main.cpp - The nereid tool -----------------------------------------===//

#include "packager/tools/Commands.h"

int main(int argc, char **argv) { return nereid::tool::runTool(argc, argv); }
