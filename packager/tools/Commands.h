//===- Commands.h - The commands of the nereid tool -------------*- C++ -*-===//
//
// Options.cpp turns the command line into one of these structures; each
// command is a function of one, returns an exit status and has said why when
// it is not 0.
//
//===----------------------------------------------------------------------===//

#ifndef NEREID_PACKAGER_TOOLS_COMMANDS_H
#define NEREID_PACKAGER_TOOLS_COMMANDS_H

#include "packager/Archive.h"

#include <string>
#include <vector>

namespace nereid::tool {

/// What the compiler is told on the command line, by every command with one.
struct CompilerFlags {
  std::vector<std::string> searchPaths; ///< -I
  std::vector<std::string> bindings;    ///< --bind name=value
};

struct BuildCommand {
  std::string manifest, output, depfile, cacheFolder;
  std::vector<std::string> targets;
  CompilerFlags compiler;
  unsigned jobs = 0;
  bool noCache = false, json = false, quiet = false;
};
int runBuild(const BuildCommand &command);

struct CompileCommand {
  std::string input, signature, target, emit = "nrd", output;
  std::vector<std::string> constants, grid, like;
  CompilerFlags compiler;
  int numWarps = 0, numStages = -1, numCtas = 0;
  bool hasSignature = false, list = false, time = false, json = false;
};
int runCompile(const CompileCommand &command);

struct InspectCommand {
  std::string pack, kernel;
  bool json = false, ir = false;
};
int runInspect(const InspectCommand &command);

struct VerifyCommand {
  std::vector<std::string> packs;
  std::string key;
  bool json = false;
};
int runVerify(const VerifyCommand &command);

struct SignCommand {
  std::string pack, key, output, newKey;
};
int runSign(const SignCommand &command);

struct HeaderCommand {
  std::string pack, output, prefix;
  bool embed = false;
};
int runHeader(const HeaderCommand &command);

struct MergeCommand {
  std::vector<std::string> packs, tuning;
  std::string output, name;
};
int runMerge(const MergeCommand &command);

struct StripCommand {
  std::string pack, output;
  std::vector<std::string> targets, drop, kernels;
  bool noIR = false;
};
int runStrip(const StripCommand &command);

struct SplitCommand {
  std::string pack, folder, by = "target";
};
int runSplit(const SplitCommand &command);

struct CheckCommand {
  std::string pack, devices;
  bool json = false, verbose = false;
};
int runCheck(const CheckCommand &command);

/// Of `run` and `bench`.
struct LaunchCommand {
  std::string pack, kernel, device = "auto", grid;
  std::vector<std::string> arguments, outputs;
  int64_t config = -1;
  unsigned threads = 0, repeat = 100, warmup = 10, seed = 0;
  bool json = false, explain = false;
};
int runRun(const LaunchCommand &command);
int runBench(const LaunchCommand &command);

struct TuneCommand {
  LaunchCommand launch;
  std::string output, table;
  bool anyDevice = false, quiet = false;
};
int runTune(const TuneCommand &command);

/// Puts the tables of tuning files into a pack; false after saying why not.
bool applyTuningFiles(const std::vector<std::string> &files, pack::Pack &pack);

/// Reads a pack; null after saying why not.
bool openPack(const std::string &path, pack::Pack &out,
              pack::FileFacts *facts = nullptr, bool requireFallback = true);
/// Writes a pack; false after saying why not.
bool savePack(const pack::Pack &pack, const std::string &path);
/// "attention.nrd: 6 kernels, 18 variants, 3 targets, 123 KiB".
std::string packSummary(const pack::Pack &pack, const std::string &path,
                        size_t size);
/// "1 kernel", "2 kernels".
std::string counted(size_t count, const std::string &noun);

/// Reads the command line and runs the command it names.
int runTool(int argc, char **argv);

} // namespace nereid::tool

#endif // NEREID_PACKAGER_TOOLS_COMMANDS_H
