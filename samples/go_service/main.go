// go_service launches a Triton kernel from Go, through the C interface of
// libnereid: no Python, no C of one's own.
//
//	go_service [vectors.nrd [device]]
package main

/*
#cgo pkg-config: nereid
#include <nereid/runtime.h>
#include <stdlib.h>
*/
import "C"

import (
	"errors"
	"fmt"
	"math"
	"os"
	"runtime"
	"sync"
	"unsafe"
)

// check turns a status into an error with the library's sentence. The sentence
// is kept per thread, so the goroutine must stay on its own: see main.
func check(status C.nrd_status_t) error {
	if status == C.NRD_OK {
		return nil
	}
	return errors.New(C.GoString(C.nrd_status_name(status)) + ": " + C.GoString(C.nrd_error_message()))
}

// Kernel is one kernel of a pack on a device.
type Kernel struct {
	device *C.nrd_device_t
	pack   *C.nrd_pack_t
	kernel *C.nrd_kernel_t
}

// Open opens a pack and finds a kernel in it.
func Open(path, deviceName, name string) (*Kernel, error) {
	k := &Kernel{}
	cPath, cDevice, cName := C.CString(path), C.CString(deviceName), C.CString(name)
	defer C.free(unsafe.Pointer(cPath))
	defer C.free(unsafe.Pointer(cDevice))
	defer C.free(unsafe.Pointer(cName))
	if err := check(C.nrd_device_open(cDevice, &k.device)); err != nil {
		return nil, err
	}
	if err := check(C.nrd_pack_open_file(cPath, nil, &k.pack)); err != nil {
		k.Close()
		return nil, err
	}
	if err := check(C.nrd_kernel_find(k.pack, k.device, cName, &k.kernel)); err != nil {
		k.Close()
		return nil, err
	}
	return k, nil
}

// Close frees everything; order does not matter to the library.
func (k *Kernel) Close() {
	C.nrd_pack_close(k.pack)
	C.nrd_device_close(k.device)
}

// Floats is memory of the device.
type Floats struct {
	device  *C.nrd_device_t
	pointer unsafe.Pointer
	count   int
}

func (k *Kernel) alloc(count int) (Floats, error) {
	f := Floats{device: k.device, count: count}
	return f, check(C.nrd_buffer_alloc(k.device, C.size_t(4*count), &f.pointer))
}

func (f Floats) write(values []float32) error {
	return check(C.nrd_buffer_copy_to_device(f.device, f.pointer, unsafe.Pointer(&values[0]), C.size_t(4*len(values))))
}

func (f Floats) read(values []float32) error {
	return check(C.nrd_buffer_copy_to_host(f.device, unsafe.Pointer(&values[0]), f.pointer, C.size_t(4*len(values))))
}

func (f Floats) free() { C.nrd_buffer_free(f.device, f.pointer) }

// normalize scales every row of x to length 1.
func normalize(k *Kernel, x []float32, rows, cols int) ([]float32, error) {
	in, err := k.alloc(rows * cols)
	if err != nil {
		return nil, err
	}
	defer in.free()
	out, err := k.alloc(rows * cols)
	if err != nil {
		return nil, err
	}
	defer out.free()
	if err := in.write(x); err != nil {
		return nil, err
	}
	var call *C.nrd_call_t
	if err := check(C.nrd_call_create(k.kernel, &call)); err != nil {
		return nil, err
	}
	defer C.nrd_call_destroy(call)
	for _, status := range []C.nrd_status_t{
		C.nrd_call_set_pointer(call, 0, in.pointer),
		C.nrd_call_set_pointer(call, 1, out.pointer),
		C.nrd_call_set_int(call, 2, C.int64_t(rows)),
		C.nrd_call_set_int(call, 3, C.int64_t(cols)),
		C.nrd_call_launch(call, nil),
	} {
		if err := check(status); err != nil {
			return nil, err
		}
	}
	y := make([]float32, rows*cols)
	return y, out.read(y)
}

func wrong(x, y []float32, rows, cols int) int {
	count := 0
	for r := 0; r < rows; r++ {
		sum := 0.0
		for _, v := range x[r*cols : (r+1)*cols] {
			sum += float64(v) * float64(v)
		}
		for c := r * cols; c < (r+1)*cols; c++ {
			expected := float64(x[c]) / math.Sqrt(sum+1e-12)
			if !(math.Abs(float64(y[c])-expected) <= 1e-6+1e-5*math.Abs(expected)) {
				count++
			}
		}
	}
	return count
}

func main() {
	path, device := "vectors.nrd", "auto"
	if len(os.Args) > 1 {
		path = os.Args[1]
	}
	if len(os.Args) > 2 {
		device = os.Args[2]
	}
	kernel, err := Open(path, device, "normalize")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	defer kernel.Close()
	var group sync.WaitGroup
	failures := make([]error, 8)
	for worker := range failures {
		group.Add(1)
		go func(worker int) {
			runtime.LockOSThread() // an error's sentence is its thread's
			defer runtime.UnlockOSThread()
			defer group.Done()
			rows, cols := 100+worker, 30+7*worker
			x := make([]float32, rows*cols)
			for i := range x {
				x[i] = float32((i*7919+worker)%2003)/1000 - 1
			}
			y, err := normalize(kernel, x, rows, cols)
			if err == nil {
				if n := wrong(x, y, rows, cols); n != 0 {
					err = fmt.Errorf("worker %d: %d elements are wrong", worker, n)
				}
			}
			failures[worker] = err
		}(worker)
	}
	group.Wait()
	for _, err := range failures {
		if err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
	}
	fmt.Printf("%d goroutines normalized their vectors on %s\n", len(failures), C.GoString(C.nrd_device_name(kernel.device)))
}
