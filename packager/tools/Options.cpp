//===- Options.cpp - The command line of the nereid tool ------------------===//

#include "packager/tools/Build.h"
#include "packager/tools/Commands.h"
#include "packager/tools/Console.h"

#include "packager/Suggest.h"

#include <CLI/CLI.hpp>

#include <csignal>
#include <functional>
#include <iostream>

namespace nereid::tool {

namespace {

using Action = std::function<int()>;

struct Options {
  BuildCommand build;
  CompileCommand compile;
  InspectCommand inspect;
  CheckCommand check;
  VerifyCommand verify;
  SignCommand sign;
  HeaderCommand header;
  MergeCommand merge;
  StripCommand strip;
  SplitCommand split;
  LaunchCommand run, bench;
  TuneCommand tune;
  Action action;
};

CLI::App *command(CLI::App &app, const char *name, const char *what,
                  const char *example, Options &options, Action action) {
  CLI::App *one = app.add_subcommand(name, what);
  one->footer(std::string("\nExample:\n  ") + example);
  one->callback([&options, action] { options.action = action; });
  return one;
}

// Repeatable options take one value each time, so that a positional argument
// may follow them.
CLI::Option *each(CLI::App *app, const char *name,
                  std::vector<std::string> &out, const char *what,
                  const char *type) {
  return app->add_option(name, out, what)
      ->type_name(type)
      ->take_all()
      ->allow_extra_args(false);
}

void addCompilerFlags(CLI::App *app, CompilerFlags &flags) {
  each(app, "-I", flags.searchPaths, "also look for imported files there",
       "DIR");
  each(app, "--bind", flags.bindings,
       "value of a name that the source cannot give", "NAME=VALUE");
}

void addLaunchFlags(CLI::App *app, LaunchCommand &launch) {
  app->add_option("pack", launch.pack, "the pack")->required();
  app->add_option("kernel", launch.kernel, "the kernel's name")->required();
  app->add_option("--device", launch.device,
                  "auto, cpu, cuda:0, hip:0, interpret or null")
      ->type_name("DEVICE");
  each(app, "--arg,-a", launch.arguments,
       "an argument: a number, @file.npy, null, or zeros, ones, arange, rand, "
       "randn, full or poison with a type and shape, as in rand:fp32[M,64]",
       "NAME=VALUE");
  app->add_option("--grid", launch.grid,
                  "programs along x,y,z, when the pack's own is not wanted")
      ->type_name("X[,Y[,Z]]");
  app->add_option_function<uint32_t>(
         "--config",
         [&launch](const uint32_t &config) { launch.config = config; },
         "use this config")
      ->type_name("N");
  app->add_option("--threads", launch.threads,
                  "threads of a cpu device; default, or 0: all")
      ->type_name("N");
  app->add_option("--seed", launch.seed, "of rand and randn")->type_name("N");
  app->add_flag("--json", launch.json, "results for machines");
}

void define(CLI::App &app, Options &o) {
  app.require_subcommand(1);
  app.set_version_flag("--version", producerText());
  app.footer("\nRun 'nereid COMMAND --help' for its options and an example.\n"
             "Exit status: 0 done, 1 the input was refused, 2 the command line "
             "was wrong.");

  CLI::App *build =
      command(app, "build", "Compile the kernels of a manifest into one pack",
              "nereid build pack.toml -o kernels.nrd -j 8", o,
              [&o] { return runBuild(o.build); });
  build->add_option("manifest", o.build.manifest, "the manifest, pack.toml")
      ->required();
  build
      ->add_option("-o,--output", o.build.output,
                   "the pack to write; default: NAME.nrd")
      ->type_name("FILE");
  each(build, "--target", o.build.targets,
       "build for this instead of the manifest's targets", "TARGET");
  build
      ->add_option("-j,--jobs", o.build.jobs,
                   "threads; default: one per processor")
      ->type_name("N");
  addCompilerFlags(build, o.build.compiler);
  build
      ->add_option("--depfile", o.build.depfile,
                   "write a make rule of every file that was read")
      ->type_name("FILE");
  build
      ->add_option("--cache-dir", o.build.cacheFolder,
                   "where compiled kernels are kept")
      ->type_name("DIR");
  build->add_flag("--no-cache", o.build.noCache, "compile everything again");
  build->add_flag("--json", o.build.json, "the summary for machines");
  build->add_flag("-q,--quiet", o.build.quiet, "print nothing but errors");

  CLI::App *compile = command(
      app, "compile", "Compile one kernel and look at it, or list a file",
      "nereid compile kernels.py:add --signature \"x=*fp32, y=*fp32, n=i32\" "
      "--const BLOCK=1024 --target x86-64-v3 --emit asm",
      o, [&o] { return runCompile(o.compile); });
  compile->add_option("input", o.compile.input, "FILE.py[:KERNEL] or FILE.ttir")
      ->required();
  CLI::Option *signature =
      compile
          ->add_option("-s,--signature", o.compile.signature,
                       "types by name, or by position as Triton writes them")
          ->type_name("TYPES");
  each(compile, "--like", o.compile.like,
       "a sample argument, a=fp16[4096,4096] or n=4096: the signature that "
       "Triton's JIT would find, strides included",
       "NAME=SAMPLE");
  each(compile, "--const", o.compile.constants,
       "value of a constexpr parameter", "NAME=VALUE");
  compile
      ->add_option("--target", o.compile.target,
                   "default: this processor's level")
      ->type_name("TARGET");
  compile
      ->add_option("--emit", o.compile.emit, "tt, tgpu, llvm, asm, obj or nrd")
      ->type_name("KIND")
      ->capture_default_str();
  compile
      ->add_option("-o,--output", o.compile.output,
                   "the file to write; '-' is standard output")
      ->type_name("FILE");
  each(compile, "--grid", o.compile.grid,
       "an axis of the grid kept in the pack; give it up to three times",
       "EXPRESSION");
  compile->add_option("--num-warps", o.compile.numWarps, "default: 4")
      ->check(CLI::IsMember({1, 2, 4, 8, 16, 32}))
      ->type_name("N");
  compile->add_option("--num-stages", o.compile.numStages, "default: 3")
      ->check(CLI::Range(0, 32))
      ->type_name("N");
  compile->add_option("--num-ctas", o.compile.numCtas, "default: 1")
      ->check(CLI::IsMember({1, 2, 4, 8, 16}))
      ->type_name("N");
  addCompilerFlags(compile, o.compile.compiler);
  compile->add_flag("--list", o.compile.list,
                    "list the file's kernels and what each still needs");
  compile->add_flag("--time", o.compile.time, "report the time of each stage");
  compile->add_flag("--json", o.compile.json, "of --list, for machines");
  compile->parse_complete_callback(
      [&o, signature] { o.compile.hasSignature = signature->count() > 0; });

  CLI::App *inspect = command(app, "inspect", "Show what is in a pack",
                              "nereid inspect kernels.nrd matmul", o,
                              [&o] { return runInspect(o.inspect); });
  inspect->add_option("pack", o.inspect.pack, "the pack")->required();
  inspect->add_option("kernel", o.inspect.kernel, "one kernel, in full");
  inspect->add_flag("--ir", o.inspect.ir, "print the kernel's tile IR");
  inspect->add_flag("--json", o.inspect.json, "everything, for machines");

  CLI::App *check =
      command(app, "check", "Say whether every kernel serves every device",
              "nereid check kernels.nrd --device x86-64-v3,sm_90a", o,
              [&o] { return runCheck(o.check); });
  check->add_option("pack", o.check.pack, "the pack")->required();
  check
      ->add_option("--device", o.check.devices,
                   "devices of this machine (cpu, cuda:0) or targets "
                   "(sm_90a), with commas")
      ->required()
      ->type_name("D[,D]");
  check->add_flag("-v,--verbose", o.check.verbose,
                  "say of each variant why it is taken or not");
  check->add_flag("--json", o.check.json, "the table for machines");

  CLI::App *verify =
      command(app, "verify", "Check every byte of a pack, and its signature",
              "nereid verify kernels.nrd --key vendor.pub", o,
              [&o] { return runVerify(o.verify); });
  verify->add_option("packs", o.verify.packs, "the packs")->required();
  verify
      ->add_option("--key", o.verify.key,
                   "it must be signed with this public key: a file or 64 "
                   "hexadecimal digits")
      ->type_name("KEY");
  verify->add_flag("--json", o.verify.json, "results for machines");

  CLI::App *sign = command(app, "sign", "Sign a pack, or make a key",
                           "nereid sign --new-key vendor\n  nereid sign "
                           "kernels.nrd --key vendor -o signed.nrd",
                           o, [&o] { return runSign(o.sign); });
  sign->add_option("pack", o.sign.pack, "the pack");
  sign->add_option("--key", o.sign.key, "the secret key")->type_name("FILE");
  sign->add_option("-o,--output", o.sign.output, "default: the pack itself")
      ->type_name("FILE");
  sign->add_option("--new-key", o.sign.newKey,
                   "make a key pair: FILE (secret) and FILE.pub")
      ->type_name("FILE");

  CLI::App *header =
      command(app, "header", "Write a C and C++ header for a pack's kernels",
              "nereid header kernels.nrd -o kernels.h --embed", o,
              [&o] { return runHeader(o.header); });
  header->add_option("pack", o.header.pack, "the pack")->required();
  header
      ->add_option("-o,--output", o.header.output,
                   "the header; default: NAME.h")
      ->type_name("FILE");
  header
      ->add_option("--prefix", o.header.prefix,
                   "of every C name; default: the pack's name")
      ->type_name("NAME");
  header->add_flag("--embed", o.header.embed,
                   "also write a .c file that holds the pack itself");

  CLI::App *merge =
      command(app, "merge", "Join packs into one",
              "nereid merge nvidia.nrd amd.nrd cpu.nrd -o all.nrd", o,
              [&o] { return runMerge(o.merge); });
  merge->add_option("packs", o.merge.packs, "the packs")->required();
  merge->add_option("-o,--output", o.merge.output, "the pack to write")
      ->required()
      ->type_name("FILE");
  each(merge, "--tuning", o.merge.tuning,
       "put in the tables of this file, as nereid tune wrote it", "FILE");
  merge
      ->add_option("--name", o.merge.name,
                   "the new pack's name; default: the first one's")
      ->type_name("NAME");

  CLI::App *strip = command(
      app, "strip", "Keep only some targets or kernels of a pack",
      "nereid strip all.nrd --target x86-64-v3 --target sm_90a -o small.nrd", o,
      [&o] { return runStrip(o.strip); });
  strip->add_option("pack", o.strip.pack, "the pack")->required();
  each(strip, "--target", o.strip.targets, "keep this target", "TARGET");
  each(strip, "--drop", o.strip.drop, "drop this target", "TARGET");
  each(strip, "--kernel", o.strip.kernels, "keep this kernel", "NAME");
  strip->add_flag("--no-ir", o.strip.noIR,
                  "drop the tile IR, which only the interpreter needs");
  strip->add_option("-o,--output", o.strip.output, "default: the pack itself")
      ->type_name("FILE");

  CLI::App *split = command(app, "split", "Cut a pack into one per target",
                            "nereid split all.nrd --into packs/", o,
                            [&o] { return runSplit(o.split); });
  split->add_option("pack", o.split.pack, "the pack")->required();
  split->add_option("--by", o.split.by, "target or kernel")
      ->type_name("WHAT")
      ->capture_default_str();
  split
      ->add_option("--into", o.split.folder,
                   "the folder to write to; default: the pack's")
      ->type_name("DIR");

  CLI::App *run = command(
      app, "run", "Launch a kernel with data from files",
      "nereid run kernels.nrd add --device cpu -a n=4096 -a x=@x.npy -a "
      "y=rand:fp32[4096]\n      -a out=zeros:fp32[4096] --out out=sum.npy",
      o, [&o] { return runRun(o.run); });
  addLaunchFlags(run, o.run);
  each(run, "--out,-o", o.run.outputs,
       "write an argument to a file after the launch", "NAME=FILE.npy");
  run->add_flag("--explain", o.run.explain,
                "say why each variant is taken or not");

  CLI::App *bench =
      command(app, "bench", "Time the launches of a kernel",
              "nereid bench kernels.nrd add --device cpu -a n=1048576 "
              "-a x=rand:fp32[1048576] ...",
              o, [&o] { return runBench(o.bench); });
  addLaunchFlags(bench, o.bench);
  bench->add_option("--repeat", o.bench.repeat, "timed launches")
      ->type_name("N")
      ->capture_default_str();
  bench->add_option("--warmup", o.bench.warmup, "launches before them")
      ->type_name("N")
      ->capture_default_str();

  CLI::App *tune = command(
      app, "tune", "Find the fastest config for each size, on this device",
      "nereid tune kernels.nrd matmul --device cuda:0 -a M=512,4096 "
      "-a N=512,4096 -a K=4096\n      -a \"a=rand:[M,K]\" -a \"b=rand:[K,N]\" "
      "-a \"c=zeros:[M,N]\" ... -o tuned.nrd --table h100.toml",
      o, [&o] { return runTune(o.tune); });
  addLaunchFlags(tune, o.tune.launch);
  o.tune.launch.repeat = 20;
  o.tune.launch.warmup = 3;
  tune->add_option("-o,--output", o.tune.output,
                   "the pack with the table in it")
      ->type_name("FILE");
  tune->add_option("--table", o.tune.table, "the table as text")
      ->type_name("FILE.toml");
  tune->add_flag("--any-device", o.tune.anyDevice,
                 "for every device of the target, not for this model only");
  tune->add_option("--repeat", o.tune.launch.repeat, "timed launches of each")
      ->type_name("N")
      ->capture_default_str();
  tune->add_option("--warmup", o.tune.launch.warmup, "launches before them")
      ->type_name("N")
      ->capture_default_str();
  tune->add_flag("-q,--quiet", o.tune.quiet, "no progress");
}

std::vector<std::string> optionNames(const CLI::App &app) {
  std::vector<std::string> names;
  for (const CLI::Option *option : app.get_options()) {
    for (const std::string &name : option->get_lnames())
      names.push_back("--" + name);
    for (const std::string &name : option->get_snames())
      names.push_back("-" + name);
  }
  return names;
}

// What is wrong with the command line, with the nearest right word.
std::string explain(const CLI::App &app, const CLI::ParseError &error, int argc,
                    char **argv) {
  std::vector<std::string> commands;
  for (const CLI::App *one : app.get_subcommands({}))
    commands.push_back(one->get_name());
  std::vector<CLI::App *> chosen = app.get_subcommands();
  if (chosen.empty()) {
    if (argc < 2)
      return "no command given; commands: " + pack::listText(commands);
    std::string word = argv[1];
    if (!word.empty() && word[0] == '-')
      return "unknown option '" + word + "'" +
             pack::suggestion(word, optionNames(app), "options");
    return "unknown command '" + word + "'" +
           pack::suggestion(word, commands, "commands");
  }
  const CLI::App *one = chosen.front();
  std::string name = one->get_name();
  std::vector<std::string> extra = app.remaining(true);
  if (!extra.empty()) {
    std::string word = extra[0];
    if (word.size() > 1 && word[0] == '-')
      return "unknown option '" + word + "' of '" + name + "'" +
             pack::suggestion(word.substr(0, word.find('=')), optionNames(*one),
                              "options");
    return "'" + name + "' does not take '" + word + "'";
  }
  std::string text = error.what();
  // "Could not convert: --repeat = -3"
  const std::string failed = "Could not convert: ";
  size_t equal = text.find(" = ");
  if (text.rfind(failed, 0) == 0 && equal != std::string::npos)
    return "'" + text.substr(failed.size(), equal - failed.size()) + "' of '" +
           name + "' takes a whole number, 0 or more; found '" +
           text.substr(equal + 3) + "'";
  while (!text.empty() && (text.back() == '\n' || text.back() == ' '))
    text.pop_back();
  return "in '" + name + "': " + text;
}

} // namespace

int runTool(int argc, char **argv) {
  // A closed pipe ends the program without a message, as of other tools.
  std::signal(SIGPIPE, SIG_DFL);
  CLI::App app("Kernels written in the Triton language, compiled once, "
               "launched anywhere.",
               "nereid");
  Options options;
  define(app, options);
  try {
    app.parse(argc, argv);
    return options.action ? options.action() : kUsage;
  } catch (const CLI::CallForHelp &) {
    std::vector<CLI::App *> chosen = app.get_subcommands();
    print(chosen.empty() ? app.help() : chosen.front()->help("nereid"));
    return kSuccess;
  } catch (const CLI::CallForAllHelp &) {
    print(app.help("", CLI::AppFormatMode::All));
    return kSuccess;
  } catch (const CLI::CallForVersion &version) {
    print(std::string(version.what()) + "\n");
    return kSuccess;
  } catch (const CLI::ParseError &error) {
    return usage(explain(app, error, argc, argv));
  } catch (const std::bad_alloc &) {
    return fail("not enough memory");
  } catch (const std::exception &error) {
    return fail(error.what());
  }
}

} // namespace nereid::tool
