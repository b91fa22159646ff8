# lit.cfg.py - how the lit tests run: suffixes, tools on PATH, FileCheck options.
import os

import lit.formats

config.name = "nereid"
config.test_format = lit.formats.ShTest(execute_external=False)
config.suffixes = [".mlir", ".ttir", ".py", ".test"]
config.excludes = ["Inputs", "lit.cfg.py", "coverage.py"]
config.test_source_root = os.path.dirname(__file__)
config.environment["PATH"] = os.pathsep.join(
    [config.nereid_tools, config.llvm_tools, config.environment["PATH"]]
)
# A variable without `$` is forgotten at the next CHECK-LABEL, so one function's
# captures cannot make another function's checks pass.
config.environment["FILECHECK_OPTS"] = "--enable-var-scope"
config.substitutions.append(("%repo", os.path.dirname(config.test_source_root)))
if config.sanitized:
    config.available_features.add("asan")
    # LLVM's own static data stays reachable until exit; leaks are checked in
    # the unit tests, where every byte is ours.
    config.environment["ASAN_OPTIONS"] = "detect_leaks=0"
    config.environment["UBSAN_OPTIONS"] = "print_stacktrace=1"
