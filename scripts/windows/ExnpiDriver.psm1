# What the scripts for the virtual machine share. For Windows PowerShell 5.1, which every Windows has.
Set-StrictMode -Version Latest
$ErrorActionPreference = 'Stop'

# As the INX, the manifest and the crate exnpi-control have them; tests/scripts compares.
$HardwareId = 'Root\ExnpiDriver'
$ServiceName = 'ExnpiDriver'
$PackageName = 'exnpi_driver'
$EventProvider = '{bd5c6b07-7eb5-51b3-2116-bdde7eb19fd2}'
$CertificateName = 'WDRLocalTestCert'

# What a script returns when Windows has to be started again, as installers do.
$RestartNeeded = 3010

# What the device manager's problem codes mean here.
$Cures = @{
    1  = 'not configured: no package was installed for the device; run install.ps1 with -Package'
    10 = 'the driver did not start: an entry of the driver returned a failure; see DbgPrint and collect.ps1'
    14 = 'start Windows again'
    22 = 'the device is disabled: Enable-PnpDevice'
    28 = 'no driver: the package is not installed, or Windows is older than build 19041'
    31 = 'the driver was not loaded or AddDevice failed: see the System log for a KMDF version, and DbgPrint'
    37 = 'DriverEntry returned a failure: see DbgPrint, or the System log for a KMDF version'
    38 = 'an older copy of the image is still loaded: start Windows again'
    39 = 'the image cannot be loaded: not there, damaged, or for another processor; see CodeIntegrity'
    45 = 'the device is not there: a SWD device of devgen ends with Windows; run install.ps1'
    48 = 'the driver is blocked: Memory Integrity or the block list; see CodeIntegrity'
    52 = 'the signature is not accepted: test signing is off, or the image is not signed; run prepare.ps1'
}

function Write-Step {
    param([string] $Text)
    Write-Host "== $Text"
}

function Write-Failure {
    param([System.Management.Automation.ErrorRecord] $Failure)
    Write-Host "FAILED: $($Failure.Exception.Message)" -ForegroundColor Red
    Write-Host "        $($Failure.InvocationInfo.PositionMessage)"
}

# Runs a program, shows and returns what it prints, and throws if its exit code is not expected.
function Invoke-Tool {
    param(
        [Parameter(Mandatory)] [string] $Path,
        [string[]] $Arguments = @(),
        [int[]] $Accept = @(0)
    )
    Write-Host "> $Path $($Arguments -join ' ')"
    # Otherwise the first line on its standard error would be an exception.
    $ErrorActionPreference = 'Continue'
    $lines = @(& $Path @Arguments 2>&1 | ForEach-Object { "$_" })
    $code = $LASTEXITCODE
    $lines | ForEach-Object { Write-Host "  $_" }
    if ($Accept -notcontains $code) {
        throw "$Path returned $code"
    }
    $lines
}

# A program that is given, on the path, or in an installed WDK; nothing if there is none.
function Find-Program {
    param([string] $Name, [string] $Given)
    if ($Given) {
        return (Resolve-Path -LiteralPath $Given).Path
    }
    $command = Get-Command -Name "$Name.exe" -CommandType Application -ErrorAction SilentlyContinue
    if ($command) {
        return @($command)[0].Source
    }
    $kits = "${env:ProgramFiles(x86)}\Windows Kits\10\Tools"
    if (Test-Path -LiteralPath $kits) {
        $found = Get-ChildItem -Path $kits -Recurse -Filter "$Name.exe" |
            Where-Object { $_.DirectoryName -match '\\(x64|arm64)$' } |
            Sort-Object -Property FullName
        if ($found) {
            return @($found)[-1].FullName
        }
    }
    return $null
}

# Sets a registry value. Tells whether it was different.
function Set-Value {
    param([string] $Key, [string] $Name, $Value, [string] $Type = 'DWord')
    if (-not (Test-Path -LiteralPath $Key)) {
        New-Item -Path $Key -Force | Out-Null
    }
    $old = Get-ItemProperty -LiteralPath $Key -Name $Name -ErrorAction SilentlyContinue
    if ($old -and ("$($old.$Name)" -eq "$Value")) {
        Write-Host "  $Key\$Name is $Value already"
        return $false
    }
    New-ItemProperty -LiteralPath $Key -Name $Name -Value $Value -PropertyType $Type -Force | Out-Null
    Write-Host "  $Key\$Name = $Value"
    return $true
}

# Whether this start of Windows accepts test signatures. The text of bcdedit depends on the language.
function Test-TestSigning {
    $control = Get-ItemProperty -LiteralPath 'HKLM:\SYSTEM\CurrentControlSet\Control'
    return $control.SystemStartOptions -match '\bTESTSIGNING\b'
}

# The devices that are there, and those that were.
function Get-Device {
    Get-PnpDevice -ErrorAction SilentlyContinue | Where-Object { $_.HardwareID -contains $HardwareId }
}

# The device that is there; there must be one.
function Get-TheDevice {
    $devices = @(Get-Device | Where-Object { $_.Present })
    if ($devices.Count -ne 1) {
        throw "$($devices.Count) devices with the hardware id $HardwareId; there must be 1: run install.ps1 or remove.ps1"
    }
    return $devices[0]
}

# Throws if the device has a problem, and says what helps.
function Assert-DeviceWorks {
    $device = Get-TheDevice
    $problem = [int] $device.ConfigManagerErrorCode
    if ($problem -eq 0) {
        Write-Host "  $($device.InstanceId): works"
        return
    }
    $cure = 'see docs/windows.md'
    if ($Cures.ContainsKey($problem)) {
        $cure = $Cures[$problem]
    }
    throw "$($device.InstanceId) has problem $($problem): $cure"
}

# Waits for something that Windows does in its own time.
function Wait-Until {
    param([scriptblock] $Condition, [string] $What, [int] $Seconds = 30)
    $end = (Get-Date).AddSeconds($Seconds)
    while (-not (& $Condition)) {
        if ((Get-Date) -gt $end) {
            throw "not after $Seconds seconds: $What"
        }
        Start-Sleep -Milliseconds 200
    }
}

# Whether the image is in the kernel.
function Test-DriverLoaded {
    $driver = Get-CimInstance -ClassName Win32_SystemDriver -Filter "Name='$ServiceName'"
    return ($null -ne $driver) -and ($driver.State -eq 'Running')
}

# Disables the device, and waits until its driver is unloaded.
function Disable-TheDevice {
    $device = Get-TheDevice
    Disable-PnpDevice -InstanceId $device.InstanceId -Confirm:$false
    Wait-Until { -not (Test-DriverLoaded) } 'the driver is unloaded'
    Write-Host '  disabled, and unloaded'
}

# Enables the device, and waits until its driver is loaded.
function Enable-TheDevice {
    $device = Get-TheDevice
    Enable-PnpDevice -InstanceId $device.InstanceId -Confirm:$false
    Wait-Until { Test-DriverLoaded } 'the driver is loaded'
    Assert-DeviceWorks
}

# The names that the driver store has given to the package: oem12.inf.
function Get-PublishedName {
    Get-WindowsDriver -Online |
        Where-Object { (Split-Path -Path $_.OriginalFileName -Leaf) -eq "$PackageName.inf" } |
        ForEach-Object { $_.Driver }
}

# Asks exnpictl, and returns what it says in JSON.
function Invoke-Control {
    param([string] $Program, [string[]] $Arguments)
    $text = Invoke-Tool -Path $Program -Arguments ($Arguments + '--json')
    return $text -join "`n" | ConvertFrom-Json
}

# Throws if two values differ.
function Assert-Equal {
    param($Is, $Expected, [string] $What)
    if ("$Is" -ne "$Expected") {
        throw "$What is $Is and not $Expected"
    }
    Write-Host "  $What is $Is"
}

Export-ModuleMember -Function * -Variable HardwareId, ServiceName, PackageName, EventProvider, CertificateName, RestartNeeded
