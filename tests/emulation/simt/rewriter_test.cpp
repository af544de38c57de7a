// CUDA source as C++: what is rewritten, what is left alone, and that no line moves.
#include "emulation/simt/rewriter.hpp"

#include <boost/test/unit_test.hpp>

#include <algorithm>
#include <string>

#include "reference/core/error.hpp"
#include "reference/core/random.hpp"

namespace {
using namespace assay;
using simt::rewrite_cuda;

std::string rewritten(const std::string& source) { return rewrite_cuda(source, "k.cu"); }
std::string launch(const std::string& configuration, const std::string& kernel,
                   const std::string& arguments) {
  return "::assay_simt::Launch(" + configuration + ").run([&](const auto... assay_simt_arguments) { " +
         kernel + "(assay_simt_arguments...); }" + (arguments.empty() ? "" : ", " + arguments) + ")";
}
bool holds(const std::string& text, const std::string& part) { return text.find(part) != std::string::npos; }
auto lines(const std::string& text) { return std::count(text.begin(), text.end(), '\n'); }

}  // namespace

BOOST_AUTO_TEST_CASE(launches_are_calls) {
  BOOST_TEST(rewritten("k<<<1, 2>>>();") == launch("1, 2", "k", "") + ";");
  BOOST_TEST(rewritten("k<<<g, b, s, t>>>(a, b + 1);") == launch("g, b, s, t", "k", "a, b + 1") + ";");
  BOOST_TEST(rewritten("if (x) n::k<int, (A > B)> <<<dim3(2, f<4>(3)), b>>>(p);") ==
             "if (x) " + launch("dim3(2, f<4>(3)), b", "n::k<int, (A > B)> ", "p") + ";");
  BOOST_TEST(rewritten("k << <1, f<g<int>>(2) >> >(a);") == launch("1, f<g<int>>(2) ", "k ", "a") + ";");
  BOOST_TEST(rewritten("S& operator<< <T>(S&, T);") == "S& operator<< <T>(S&, T);");
  BOOST_TEST(rewritten("return ::n::k<<<1, 1>>>(p);") == "return " + launch("1, 1", "::n::k", "p") + ";");
  BOOST_TEST(rewritten("n::m<T>::k<<<1, 1>>>(p);") == launch("1, 1", "n::m<T>::k", "p") + ";");
  BOOST_TEST(rewritten("(*k)<<<1, 1>>>(p);") == launch("1, 1", "(*k)", "p") + ";");
  BOOST_TEST(rewritten("all[i]<<<1, 1>>>(p);") == launch("1, 1", "all[i]", "p") + ";");
  BOOST_TEST(rewritten("c->k<<<1, 1>>>(p);") == launch("1, 1", "c->k", "p") + ";");
  BOOST_TEST(rewritten("C::template k<1><<<1, 1>>>(p);") == launch("1, 1", "C::template k<1>", "p") + ";");
  BOOST_TEST(rewritten("x.k<<<1, 1>>>(p);") == launch("1, 1", "x.k", "p") + ";");
  BOOST_TEST(rewritten("k<<<(n + 255) >> 8, 256>>>(p);") == launch("(n + 255) >> 8, 256", "k", "p") + ";");
  BOOST_TEST(rewritten("k<<<1, 1>>>(a[i], {1, 2}, f(\")\"), ')');") ==
             launch("1, 1", "k", "a[i], {1, 2}, f(\")\"), ')'") + ";");
  BOOST_TEST(
      rewritten("k<<<1, 1>>>(0, f(0), 10);") ==
      "::assay_simt::Launch(1, 1).run([&](const auto... assay_simt_arguments) { ::assay_simt::with_zeros("
      "[&](const auto... assay_simt_values) -> decltype(static_cast<void>(k(assay_simt_values...))) { "
      "k(assay_simt_values...); }, assay_simt_arguments...); }, ::assay_simt::Zero(), f(0), 10);");
  BOOST_TEST(rewritten("k<<<1, 1>>>(NULL, x, NULL);") == launch("1, 1", "k", "nullptr, x, nullptr") + ";");
  BOOST_TEST(lines(rewritten("k<\n  int>\n<<<1, 1>>>(p);")) == 2);
  BOOST_TEST(rewritten("k <4><< <1, (n >> 1) >> > (p);") == launch("1, (n >> 1) ", "k <4>", "p") + ";");
  for (const char* const shift : {"std::operator<< <T>(out, x);", "a << b < c;", "x << f<A<B<int>> >(y);"})
    BOOST_TEST(rewritten(shift) == shift);
  BOOST_TEST(rewritten("case 0:k<<<1, 1>>>();") == "case 0: " + launch("1, 1", "k", "") + ";");
  BOOST_TEST(rewritten("#define CONFIGURED k<<<1, 2>>>\nint x;") == "#define CONFIGURED k<<<1, 2>>>\nint x;");
  BOOST_TEST(rewritten("#define RUN(K, N) K<<<N, \\\n  1>>>(N)\n") ==
             "#define RUN(K, N) " + launch("N, \\\n  1", "K", "N") + "\n");
}

BOOST_AUTO_TEST_CASE(shared_memory_of_a_launch_is_a_pointer) {
  BOOST_TEST(rewritten("void k() { extern __shared__ float s[]; }") ==
             "void k() { float* s = static_cast<float*>(::assay_simt::dynamic_shared()); }");
  BOOST_TEST(rewritten("void k() { extern volatile __shared__ __align__(16) unsigned char s[]; }") ==
             "void k() { volatile unsigned char* s = static_cast<volatile unsigned "
             "char*>(::assay_simt::dynamic_shared()); }");
  BOOST_TEST(rewritten("void k() { extern __shared__ T s[][32]; }") ==
             "void k() { T (*s)[32] = static_cast<T (*)[32]>(::assay_simt::dynamic_shared()); }");
  BOOST_TEST(rewritten("void k() { extern __shared__ std::pair<int, A::B> s[]; }") ==
             "void k() { std::pair<int, A::B>* s = static_cast<std::pair<int, "
             "A::B>*>(::assay_simt::dynamic_shared()); "
             "}");
  BOOST_TEST(rewritten("void k() { __shared__ extern float s[]; }") ==
             "void k() { float* s = static_cast<float*>(::assay_simt::dynamic_shared()); }");
  // Outside of functions, those of namespaces and of extern "C" included.
  const std::string object = "static ::assay_simt::DynamicShared<float> s;";
  BOOST_TEST(rewritten("extern __shared__ float s[];") == object);
  BOOST_TEST(rewritten("namespace a::b { extern __shared__ float s[]; }") ==
             "namespace a::b { " + object + " }");
  BOOST_TEST(rewritten("extern \"C\" { extern __shared__ float s[]; }") == "extern \"C\" { " + object + " }");
  BOOST_TEST(rewritten("void f() {} extern __shared__ float s[];") == "void f() {} " + object);
}

BOOST_AUTO_TEST_CASE(references_to_textures_are_the_dialects) {
  BOOST_TEST(rewritten("texture<float, 2> t;") == "::assay_simt::texture<float, 2> t;");
  BOOST_TEST(rewritten("namespace n { static texture<int4> t; }") ==
             "namespace n { static ::assay_simt::texture<int4> t; }");
  BOOST_TEST(rewritten("void f(texture<float> t) { g(t); }") ==
             "void f(::assay_simt::texture<float> t) { g(t); }");
  // A program's own.
  for (const char* const own :
       {"cudaTextureObject_t texture;", "void f(int texture) { if (texture < 3) g(); }",
        "template <class T> struct texture<T*> {};", "n::texture<int> t;"})
    BOOST_TEST(rewritten(own) == own);
}

BOOST_AUTO_TEST_CASE(symbols_named_by_literals_are_names) {
  BOOST_TEST(rewritten("cudaMemcpyToSymbol(\"a\", p, n);") == "cudaMemcpyToSymbol(a, p, n);");
  BOOST_TEST(rewritten("cudaMemcpyFromSymbol(f(x, y), \"a\", n, 0);") ==
             "cudaMemcpyFromSymbol(f(x, y), a, n, 0);");
  BOOST_TEST(rewritten("cudaGetSymbolAddress((void**)&p, \"a\");") == "cudaGetSymbolAddress((void**)&p, a);");
  for (const char* const other : {"cudaMemcpyToSymbol(a, \"text\", 5);", "cudaMemcpyFromSymbol(\"a\", b, n);",
                                  "f(\"a\", p);", "(\"a\", p);"})
    BOOST_TEST(rewritten(other) == other);
}

BOOST_AUTO_TEST_CASE(inline_ptx_is_a_call) {
  const auto call = [](const std::string& text, const std::string& operands) {
    return "void k() { ::assay_simt::ptx([]() -> const char* { return " + text + "; }, __FILE__, __LINE__" +
           operands + "); }";
  };
  const auto operand = [](const std::string& constraint, const std::string& value) {
    return ", ::assay_simt::ptx_operand<::assay_simt::ptx_constraint(" + constraint + ")>(" + value + ")";
  };
  // Blanks are left aside.
  const auto squeezed = [](std::string s) {
    s.erase(std::remove_if(s.begin(), s.end(), [](char c) { return c == ' ' || c == '\n' || c == '\\'; }),
            s.end());
    return s;
  };
  const auto is = [&](const std::string& source, const std::string& expected) {
    BOOST_TEST(squeezed(rewritten("void k() { " + source + " }")) == squeezed(expected));
    BOOST_TEST(lines(rewritten("void k() { " + source + " }")) == lines(source));
  };
  is("asm(\"mov.u32 %0, 1;\" : \"=r\"(x));", call("\"mov.u32 %0, 1;\"", operand("\"=r\"", "(x)")));
  is("asm volatile(\"membar.gl;\" ::: \"memory\");", call("\"membar.gl;\"", ""));
  is("__asm__ __volatile__(\"membar\" \n \".gl;\");", call("\"membar\" \".gl;\"", ""));
  is("asm(\"st.u32 [%0], %1;\" :: \"l\"(p + f(a, b)), \"r\"((int)v[i]));",
     call("\"st.u32 [%0], %1;\"", operand("\"l\"", "(p + f(a, b))") + operand("\"r\"", "((int)v[i])")));
  is("asm(\"mov.u32 %[d], %[s];\" : [d] \"=r\"(x) : [s] \"r\"(y));",
     call("\"mov.u32 %[d], %[s];\"",
          ", ::assay_simt::ptx_operand<::assay_simt::ptx_constraint(\"=r\")>((x), \"d\")"
          ", ::assay_simt::ptx_operand<::assay_simt::ptx_constraint(\"r\")>((y), \"s\")"));
  is("asm(OP(add) \" %0, %0, %1;\" : \"+r\"(x) : POINTER(y));",
     call("OP(add) \" %0, %0, %1;\"", operand("\"+r\"", "(x)") + operand("POINTER", "(y)")));
  // In macros, lines go on.
  BOOST_TEST(rewritten("#define M(x) \\\n  asm(\"mov.u32 %0, 1;\" \\\n  : \"=r\"(x))\n") ==
             "#define M(x) \\\n  ::assay_simt::ptx([]() -> const char* { return \"mov.u32 %0, 1;\" \\\n  ; "
             "}, __FILE__, __LINE__ , "
             "::assay_simt::ptx_operand<::assay_simt::ptx_constraint(\"=r\")>((x)))\n");
  // The preprocessor may choose.
  const std::string chosen = rewritten(
      "void k() { asm(\n#if A\n\"membar.gl;\"\n#else\n\"membar.sys;\"\n#endif\n:\n#ifdef B\n: "
      "\"r\"(x)\n#endif\n); }\n");
  BOOST_TEST(chosen.find("\n#endif\n; }, __FILE__") != std::string::npos, chosen);
  BOOST_TEST(chosen.find("\n#ifdef B\n") != std::string::npos, chosen);
  BOOST_TEST(lines(chosen) == 11);
  // An empty text, and what is outside of functions, is the host's.
  for (const std::string kept : {"void k() { asm volatile(\"\" : \"+r\"(x) :: \"memory\"); }",
                                 "int f() asm(\"g\");", "asm(\".globl x\");"})
    BOOST_TEST(rewritten(kept) == kept);
}

BOOST_AUTO_TEST_CASE(inline_ptx_that_is_not_understood_is_said) {
  const auto error = [](const std::string& source) -> std::string {
    try {
      return "no error: " + rewritten(source);
    } catch (const InputError& e) {
      return e.place() + " | " + e.expected() + " | " + e.found();
    }
  };
  BOOST_TEST(error("void k() {\n asm(\"frob.u32 %0, 1;\" : \"=r\"(x)); }") ==
             "line 2 | an instruction of the PTX table | \"frob.u32\"");
  BOOST_TEST(error("void k() {\n asm(\"membar.gl;\"\n\"cpuid;\" : \"=r\"(x)); }") ==
             "line 3 | an instruction of the PTX table | \"cpuid\"");
  BOOST_TEST(error("#define K \\\n asm(\"add.u64 %0, %1, 1;\" : \"=l\"(x) : \"r\"(y))\n")
                 .find("line 2 | the operands of add.u64") == 0U);
  // Of another compiler, which the preprocessor drops.
  BOOST_TEST(rewritten("void k() {\n#if X\n__asm { pause }\n#endif\n}") ==
             "void k() {\n#if X\n__asm { pause }\n#endif\n}");
  BOOST_TEST(error("void k() { asm(); }").find("line 1 | the text of asm") == 0U);
  BOOST_TEST(error("void k() { asm(\"membar.gl;\" : x); }").find("line 1 | an operand of asm") == 0U);
  // Of the host, by its registers.
  const std::string host = "int f() { asm volatile(\"rdtsc\" : \"=a\"(x), \"=d\"(y)); }";
  BOOST_TEST(rewritten(host) == host);
  // Under #if the compiler says it, if it comes to it.
  BOOST_TEST(
      rewritten("void k() {\n#if X\nasm(\"tcgen05.wait::ld.sync.aligned;\");\n#endif\n}") ==
      "void k() {\n#if X\nstatic_assert(false, \"line 3: expected an instruction of the PTX table, found "
      "\\\"tcgen05.wait::ld.sync.aligned\\\"\");\n#endif\n}");
}

BOOST_AUTO_TEST_CASE(alignas_stands_before_shared) {
  BOOST_TEST(rewritten("__shared__ alignas(16) float s[4];") == "alignas(16) __shared__ float s[4];");
}

BOOST_AUTO_TEST_CASE(what_is_no_launch_is_left_alone) {
  for (const char* const source :
       {"// k<<<1, 1>>>();\n", "/* k<<<1, 1>>>(); */", "\"k<<<1, 1>>>()\"", "R\"x(k<<<1, 1>>>() )\" )x\"",
        "a << b; c >> d; v<v<v<int>>> x;", "extern int x[];", "extern \"C\" void f(int x[]);",
        "__shared__ float s[32];", "int x = 1'000'000;", "char c = '\\'';", "#include <cuda_runtime.h>\n"})
    BOOST_TEST(rewritten(source) == source);
  BOOST_TEST(rewritten("__noinline__ void f();") == "__attribute__((noinline)) void f();");
}

BOOST_AUTO_TEST_CASE(lines_keep_their_numbers) {
  const std::string source =
      "void f() {\n  k<int,\n    2>\n  <<<1, // blocks\n     2>>>\n  (a, // one\n   b\n  );\n  extern\n  "
      "__shared__\n  "
      "float s[];\n}\nint last;\n";
  const std::string out = rewritten(source);
  BOOST_TEST(lines(out) == lines(source));
  BOOST_TEST(lines(out.substr(out.find("int last"))) == 1);
}

BOOST_AUTO_TEST_CASE(what_does_not_end_is_said) {
  const auto said = [](const std::string& source) -> std::string {
    try {
      rewritten(source);
    } catch (const InputError& e) {
      return e.what();
    }
    return "no error";
  };
  BOOST_TEST(said("\n<<<1, 1>>>(x);") == "k.cu: line 2: expected a kernel before <<<, found nothing");
  BOOST_TEST(said("k<<<1, 1;") ==
             "k.cu: line 1: expected >>> after the configuration of a launch, found \";\"");
  BOOST_TEST(said("k<<<1, 1>>>;") == "k.cu: line 1: expected ( and the arguments after >>>, found \";\"");
  BOOST_TEST(said("k<<<1, 1>>>(a") == "k.cu: line 1: expected what closes \"(\", found the end of the file");
}

// Pieces of CUDA in any order: an error or a text of as many lines, and never more.
BOOST_AUTO_TEST_CASE(any_text_gives_an_error_or_as_many_lines) {
  const char* const pieces[] = {"k",     "<<<",      ">>>",
                                "(",     ")",        "{",
                                "}",     "[",        "]",
                                "<",     ">",        ",",
                                ";",     "\n",       " ",
                                "//",    "/*",       "*/",
                                "\"",    "'",        "\\",
                                "::",    ".",        "->",
                                "1",     "a",        "R\"(",
                                ")\"",   "extern",   "__shared__",
                                "float", "s",        "[]",
                                "NULL",  "\\\n",     "#define",
                                "asm",   "volatile", "asm(\"membar.gl;\"",
                                ":",     "\"=r\"",   "#if",
                                "#",     "alignas",  "alignas(8)"};
  constexpr std::uint64_t count = sizeof pieces / sizeof pieces[0];
  int errors = 0, texts = 0, wrong = 0;
  const CounterRandom random(3);
  for (std::uint64_t i = 0; i < 20000; ++i) {
    std::string source;
    for (std::uint64_t k = 0; k < 1 + i % 40; ++k) source += pieces[random.below(count, 100 * i + k)];
    try {
      wrong += lines(rewritten(source)) == lines(source) ? 0 : 1;
      ++texts;
    } catch (const InputError&) {
      ++errors;
    }
  }
  BOOST_TEST(wrong == 0);
  BOOST_TEST(errors > 1000);
  BOOST_TEST(texts > 1000);
}

BOOST_AUTO_TEST_CASE(static_shared_memory_is_poisoned_where_it_is_declared) {
  const auto poison = [](const std::string& name) {
    return " { static thread_local unsigned long long assay_simt_run; ::assay_simt::poison_shared(&" + name +
           ", sizeof " + name + ", assay_simt_run); }";
  };
  const auto aligned = [](const std::string& type) {
    return "__shared__ __attribute__((aligned(::assay_simt::shared_alignment<" + type + ">))) ";
  };
  BOOST_TEST(rewritten("void k() { __shared__ float a[3][4], b; f(); }") ==
             "void k() { " + aligned("float") + "float a[3][4], b;" + poison("a") + poison("b") + " f(); }");
  BOOST_TEST(rewritten("void k() { static __shared__ A<int, 3> a; }") ==
             "void k() {  " + aligned("A<int, 3>") + "A<int, 3> a;" + poison("a") + " }");
  BOOST_TEST(rewritten("void k() { volatile __shared__ std::uint8_t a; }") ==
             "void k() { volatile " + aligned("std::uint8_t") + "std::uint8_t a;" + poison("a") + " }");
  // Pointers are aligned; what says its alignment keeps it.
  BOOST_TEST(rewritten("void k() { __shared__ T* a; }") ==
             "void k() { __shared__ T* a;" + poison("a") + " }");
  BOOST_TEST(rewritten("void k() { __shared__ __align__(8) char a[9]; }") ==
             "void k() { __shared__ __align__(8) char a[9];" + poison("a") + " }");
  BOOST_TEST(rewritten("void k() { __shared__ alignas(16) struct { int x; } a[2]; }") ==
             "void k() { alignas(16) __shared__ struct { int x; } a[2];" + poison("a") + " }");
  const std::string outside = "__shared__ int a; struct S { }; __shared__ int b[2];";
  BOOST_TEST(rewritten(outside) == outside);
  BOOST_TEST(rewritten("#define S(n) __shared__ int n\n") == "#define S(n) __shared__ int n\n");
}

BOOST_AUTO_TEST_CASE(branches_of_if_share_braces) {
  const std::string object = "static ::assay_simt::DynamicShared<float> s;",
                    declared = "extern __shared__ float s[];";
  for (const std::string function : {"void f() {\n#if A\nif (a) {\n#else\nfor (;;) {\n#endif\n}\n}\n",
                                     "void f() {\n#if A\nif (a) {\n#else\n#endif\nx;\n#if A\n}\n#endif\n}\n",
                                     "#if A\nvoid f() {\n#else\nvoid g() {\n#if B\nx;\n#endif\n#endif\n}\n",
                                     "void f() {\n#if A\n}\n#else\n}\n#endif\n"}) {
    BOOST_TEST(rewritten(function + declared) == function + object);
    const std::string kernel = "__global__ void k(int a) {\n" + function.substr(function.find('\n') + 1);
    if (function.starts_with("void"))
      BOOST_TEST(holds(rewritten(kernel), "register_kernel(static_cast<void (*)(int a)>(&k));"), kernel);
  }
}

BOOST_AUTO_TEST_CASE(constant_memory_is_static_once) {
  BOOST_TEST(rewritten("static __constant__ int a;") == " __constant__ int a;");
  BOOST_TEST(rewritten("__constant__ static int a;") == "__constant__  int a;");
  BOOST_TEST(rewritten("static const __device__ __align__(8) __constant__ int a;") ==
             " const __device__ __align__(8) __constant__ int a;");
  BOOST_TEST(rewritten("int b; __device__ __constant__ const static int a;") ==
             "int b; __device__ __constant__ const  int a;");
  BOOST_TEST(rewritten("#if A\n__constant__\n#endif\n#pragma x y\nstatic int a;") ==
             "#if A\n__constant__\n#endif\n#pragma x y\n int a;");
  BOOST_TEST(rewritten("__constant__ int b; static int a;") == "__constant__ int b; static int a;");
  BOOST_TEST(rewritten("extern __constant__ int a;") == "extern  int a;");
}

BOOST_AUTO_TEST_CASE(kernels_are_known_by_their_addresses) {
  BOOST_TEST(
      rewritten("namespace n {\n__global__ void __launch_bounds__(64) k(int a, // first\n  A<B> b) { }\n}") ==
      "namespace n {\n__global__ void __launch_bounds__(64) k(int a, // first\n  A<B> b) { }"
      " [[maybe_unused]] static const bool assay_simt_known_14841752029258204632_3 = "
      "::assay_simt::register_kernel("
      "static_cast<void (*)(int a, A<B> b)>(&k));\n}");
  BOOST_TEST(holds(rewritten("__global__ void k(int a\n#if X\n, int b\n#endif\n) { }"),
                   "#endif\n) { } [[maybe_unused]] static const bool"));
  BOOST_TEST(
      holds(rewritten("__global__ void k(int a\n#if X\n, int b\n#endif\n) { }"), "register_kernel(&k);"));
  for (const std::string other : {"template <class T> __global__ void k(T a) { }", "__global__ void k(int);",
                                  "__global__ void k(int a = 3) { }", "struct S { void f() { } };"})
    BOOST_TEST(rewritten(other) == other);
  BOOST_TEST(rewritten("cudaLaunchKernel((const void *)k<3>, g, b, a);") ==
             "cudaLaunchKernel(k<3>, g, b, a);");
  BOOST_TEST(rewritten("cudaLaunchCooperativeKernel((void*)k, g);") == "cudaLaunchCooperativeKernel(k, g);");
  BOOST_TEST(rewritten("cudaLaunchKernel((K)k, g);") == "cudaLaunchKernel((K)k, g);");
}
