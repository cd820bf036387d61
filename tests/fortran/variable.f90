! Values of variable length from Fortran: strings and sequences, in attributes and datasets, whole and in part.
program variable
  use, intrinsic :: iso_c_binding
  use, intrinsic :: iso_fortran_env, only: int64, real64
  use h5r
  use checks
  implicit none
  type(h5r_file) :: file
  type(h5r_object) :: root
  integer :: status

  call h5r_create('variable_f.h5', file)
  root = h5r_root(file)
  call strings()
  call sequences()
  call h5r_check(file)
  call h5r_close(file)
  call h5r_open('variable_f.h5', file)
  root = h5r_root(file)
  call again()
  call h5r_close(file)

contains

  ! Whether the strings are these, without blanks behind them.
  logical function are(strings, texts)
    type(h5r_string), intent(in) :: strings(:)
    character(*), intent(in) :: texts(:)
    integer :: i
    are = size(strings) == size(texts)
    do i = 1, min(size(strings), size(texts))
      are = are .and. strings(i)%value == texts(i) .and. len(strings(i)%value) == len_trim(texts(i))
    end do
  end function

  subroutine strings()
    character(9) :: words(3) = [character(9) :: 'one', '', 'a  longer']
    type(h5r_string), allocatable :: back(:)
    ! An array constructor of them would never be freed by gfortran 12.
    type(h5r_string) :: given(2)
    type(h5r_object) :: text
    integer(int64) :: type
    logical :: is_variable
    call h5r_attr_write_variable(root, 'words', words)
    call h5r_attr_type(root, 'words', type)
    call h5r_type_is_variable(type, is_variable)
    call h5r_type_close(type)
    call check(is_variable, 'strings of variable length are written')
    call h5r_attr_read_variable(root, 'words', back)
    call check(are(back, words), 'the strings of an attribute')
    given(1)%value = 'blank '
    given(2)%value = repeat('x', 5000)
    call h5r_attr_write_variable(root, 'words', given)
    call h5r_attr_read_variable(root, 'words', back)
    call check(size(back) == 2 .and. len(back(1)%value) == 6 .and. len(back(2)%value) == 5000, 'blanks and length stay')
    given(1)%value = 'a'//c_null_char//'b'
    call h5r_attr_write_variable(root, 'words', given, status)
    call check(status == H5R_ERR_ARGUMENT, 'a NUL is refused')
    call h5r_attr_write(root, 'fixed', ['ab  ', 'cdef'])
    call h5r_attr_read_variable(root, 'fixed', back)
    call check(are(back, ['ab  ', 'cdef']), 'strings of fixed length')
    call fixed_strings(root)
    call h5r_type_string_variable(type)
    call h5r_dataset_create(root, 'text', type, [4], text)
    call h5r_type_close(type)
    call h5r_dataset_write_variable(text, words)
    given(1)%value = 'the last'
    call h5r_dataset_write_variable(text, given(1:1), start=4)
    call h5r_dataset_read_variable(text, back)
    call check(are(back, [words, 'the last ']), 'the strings of a dataset')
    call h5r_dataset_read_variable(text, back, start=3)
    call check(are(back, [words(3), 'the last ']), 'from an element on')
    call h5r_dataset_read_variable(text, back, start=1, count=1)
    call check(are(back, words(1:1)), 'one string')
    call h5r_dataset_write_variable(text, words, start=3, status=status)
    call check(status /= H5R_OK, 'strings beyond the end are refused')
    call h5r_object_close(text)
  end subroutine

  ! Character variables: from strings of either kind, and to those of fixed length, in either character set.
  subroutine fixed_strings(root)
    type(h5r_object), intent(in) :: root
    type(h5r_object) :: text
    integer(c_int64_t) :: type
    integer :: status
    character(6) :: three(3), one
    call h5r_attr_write_variable(root, 'listed', ['one  ', 'seven'])
    three = 'x'
    call h5r_attr_read(root, 'listed', three(:2))
    call check(all(three == ['one  ', 'seven', 'x    ']), 'an attribute of variable length')
    call h5r_attr_read(root, 'listed', one, status)
    call check(status == H5R_ERR_TOO_SMALL, 'more strings than there is room for')
    call h5r_type_string(4, type, charset=H5R_CHARSET_ASCII)
    call h5r_dataset_create(root, 'ascii', type, [3], text)
    call h5r_type_close(type)
    call h5r_dataset_write(text, ['ab  ', 'cdef', '    '])
    call h5r_dataset_write(text, ['last'], start=[3])
    call h5r_dataset_read(text, three)
    call check(all(three == ['ab  ', 'cdef', 'last']), 'a dataset of fixed length')
    call h5r_object_close(text)
    call h5r_type_string_variable(type, charset=H5R_CHARSET_ASCII)
    call h5r_dataset_create(root, 'ascii_variable', type, [3], text)
    call h5r_type_close(type)
    call h5r_dataset_write_variable(text, ['ab  ', 'cdef', '    '])
    call h5r_dataset_read(text, three(2:3), start=[1])
    call check(all(three == ['ab  ', 'ab  ', 'cdef']), 'a dataset of variable length')
    call h5r_object_close(text)
    call h5r_type_string(4, type)
    call h5r_dataset_create(root, 'single', type, [integer ::], text)
    call h5r_type_close(type)
    call h5r_dataset_write(text, 'good')
    call h5r_dataset_read(text, one)
    call check(one == 'good', 'a single string')
    call h5r_object_close(text)
  end subroutine

  subroutine sequences()
    type(h5r_int64_sequence) :: rows(3)
    type(h5r_int64_sequence), allocatable :: back(:)
    type(h5r_real64_sequence), allocatable :: reals(:)
    type(h5r_object) :: dataset
    integer(int64) :: type
    integer :: i
    rows(1)%values = [1_int64, -2_int64, 3_int64]
    rows(3)%values = [(int(i, int64), i=1, 2000)]
    call h5r_attr_write_variable(root, 'rows', rows)
    call h5r_attr_read_variable(root, 'rows', back)
    call check(size(back) == 3 .and. size(back(2)%values) == 0, 'as many sequences, one without elements')
    call check(all(back(1)%values == rows(1)%values) .and. all(back(3)%values == rows(3)%values), 'sequences')
    call h5r_attr_read_variable(root, 'rows', reals)
    call check(all(nint(reals(1)%values) == [1, -2, 3]), 'sequences are converted')
    call h5r_type_vlen(H5R_F64, type)
    call h5r_dataset_create(root, 'reals', type, [3], dataset)
    call h5r_type_close(type)
    reals(2)%values = [0.5_real64]
    call h5r_dataset_write_variable(dataset, reals(2:3), start=2)
    call h5r_dataset_read_variable(dataset, reals)
    call check(size(reals) == 3 .and. size(reals(1)%values) == 0, 'what was not written has no elements')
    call check(nint(reals(2)%values(1)*2) == 1 .and. size(reals(3)%values) == 2000, 'the sequences of a dataset')
    call h5r_dataset_read_variable(dataset, reals, start=2, count=1)
    call check(size(reals) == 1 .and. nint(reals(1)%values(1)*2) == 1, 'one sequence')
    call h5r_object_close(dataset)
    call h5r_attr_read_variable(root, 'words', reals, status)
    call check(status == H5R_ERR_TYPE .and. .not. allocated(reals), 'strings are no sequences')
  end subroutine

  subroutine again()
    type(h5r_string), allocatable :: back(:)
    type(h5r_int64_sequence), allocatable :: rows(:)
    call h5r_attr_read_variable(root, 'words', back)
    call h5r_attr_read_variable(root, 'rows', rows)
    call check(size(back) == 2, 'the strings after opening again')
    call check(rows(3)%values(2000) == 2000, 'the sequences after opening again')
  end subroutine
end program
