// An object as compilers write it, for tests of the linker of images: imports, tables of addresses, data, zeros.
extern "C" {
void* memcpy(void*, const void*, unsigned long);
double cos(double);

int object_counter = 40;  // written data
int object_zeros[1000];   // no bytes in the file
static int add(int a, int b) { return a + b; }
static int multiply(int a, int b) { return a * b; }
int (*const object_table[])(int, int) = {add, multiply};  // addresses, filled in when it is loaded
static const char text[] = "constant text";

int object_next() { return ++object_counter + object_zeros[999]; }
int object_call(int which, int a, int b) { return object_table[which](a, b); }
const char* object_text() { return text; }
void object_copy(char* to, const char* from, unsigned long n) { memcpy(to, from, n); }
double object_cos(double x) { return cos(x) * 2.5; }
int object_choose(int x) {  // a jump table
  switch (x) {
    case 0:
      return 3;
    case 1:
      return 1;
    case 2:
      return 4;
    case 3:
      return 11;
    case 4:
      return 5;
    case 5:
      return 9;
    case 6:
      return 26;
    default:
      return -1;
  }
}
}
